// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <unistd.h>

#include "gpueval/report.h"
#include "program/terminal.h"

namespace gpueval::cli {
Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { wipe(); }

bool Progress::due() {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - last_ < std::chrono::milliseconds(100)) return false;
  last_ = now;
  return true;
}

void Progress::on_accuracy(const AccuracyProgress& progress) {
  if (due()) draw(progress_text(progress));
}

void Progress::on_speed(const SpeedProgress& progress) {
  if (due()) draw(progress_text(progress));
}

void Progress::on_step(const std::string& text) {
  if (due()) draw(text);
}

void Progress::on_note(const std::string& sentence) {
  wipe();
  print_note(sentence);
}

void Progress::draw(const std::string& text) {
  draw_line(text);
  shown_ = true;
}

void Progress::wipe() {
  if (shown_) draw_line("");
  shown_ = false;
}

}  // namespace gpueval::cli
