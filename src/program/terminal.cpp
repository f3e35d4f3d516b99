// SPDX-License-Identifier: Apache-2.0
#include "program/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>

#include "core/printable.h"

namespace gpueval {
namespace {

// A message names a file and what is wrong with it; one that a damaged file blew up would push all else off the screen.
constexpr std::size_t kLongestMessage = 8000;

int lost = 0;

// `text` is filtered already.
void write(std::FILE* stream, const std::string& text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size() && std::fflush(stream) == 0;
  if (!written && stream == stdout && lost == 0) lost = errno != 0 ? errno : EIO;
}

void message(const char* prefix, std::string_view sentence) {
  const bool whole = sentence.size() <= kLongestMessage;
  write(stderr, prefix + printable(sentence.substr(0, kLongestMessage)) + (whole ? "\n" : "...\n"));
}

}  // namespace

void hold_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    // The wrong way round: reading and writing stay the errors that they are.
    [[maybe_unused]] const int same = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void print_lines(std::string_view text) { write(stdout, printable(text, NewLines::kKeep)); }
void print_line(std::string_view sentence) { write(stdout, printable(sentence) + '\n'); }
void print_note(std::string_view sentence) { message("gpu_eval: note: ", sentence); }
void print_error(std::string_view sentence) { message("gpu_eval: error: ", sentence); }

// Back to the start of the line, then the text, then what is left of an older one is cleared.
void draw_line(std::string_view text) { write(stderr, '\r' + printable(text) + "\033[K"); }

int lost_output() { return lost; }

}  // namespace gpueval
