// SPDX-License-Identifier: Apache-2.0
#include "core/output_places.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "core/output_file.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;

// Formats that a name may promise. What has none of these names (F, F.txt) may hold anything.
const std::array kKnown{".json", ".html", ".htm", ".md", ".onnx", ".npy", ".npz", ".h5",  ".hdf5", ".keras", ".pkl",
                        ".jpg",  ".jpeg", ".png", ".pb", ".pt",   ".pth", ".csv", ".xml", ".bin",  ".tflite"};

std::string extension_of(const std::string& path) {
  std::string extension = fs::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return extension;
}

// An ONNX file is found by its extension; every other output must only not promise another format.
void check_name(const OutputPlace& output) {
  if (output.path.empty()) fail_usage("{} '' names no file", output.option);
  if (output.path == kToStdout && !output.printable) {
    fail_usage("{} -: only --json, --html and --markdown can be printed; name a file", output.option);
  }
  const std::string found = extension_of(output.path);
  const auto is_found = [&](const std::string& extension) { return extension == found; };
  if (std::any_of(output.extensions.begin(), output.extensions.end(), is_found)) return;
  const bool strict = output.option == "--onnx" && !found.empty();
  if (strict || std::any_of(kKnown.begin(), kKnown.end(), is_found)) {
    fail_usage("{} {}: the name says {}, but the file would hold another format; name it *{}", output.option,
               output.path, found, output.extensions.front());
  }
}

// The file behind a descriptor that the shell opened.
bool is_open_as(const std::string& path, int descriptor) {
  struct stat named {
  }, open_one{};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(descriptor, &open_one) == 0 && S_ISREG(named.st_mode) &&
         named.st_dev == open_one.st_dev && named.st_ino == open_one.st_ino;
}

void check_place(const OutputPlace& output, const std::vector<InputPlace>& inputs) {
  for (const InputPlace& input : inputs) {
    for (const std::string& path : {output.path, output.path + ".part"}) {
      if (!same_place(path, input.path)) continue;
      fail_usage("{} {} would replace what is read: {} {}", output.option, output.path, input.option, input.path);
    }
  }
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    if (is_open_as(output.path, descriptor)) {
      fail_usage("{} {}: the same file is standard {}; `{} -` prints it there", output.option, output.path,
                 descriptor == STDOUT_FILENO ? "output" : "error", output.option);
    }
  }
  check_writable(output.path);
}

void check_pair(const OutputPlace& a, const OutputPlace& b) {
  const bool both_printed = a.path == kToStdout && b.path == kToStdout;
  const bool one_printed = a.path == kToStdout || b.path == kToStdout;
  if (both_printed) fail_usage("{} - and {} -: one of them can be printed", a.option, b.option);
  if (one_printed) return;
  if (same_place(a.path, b.path) || same_place(a.path + ".part", b.path) || same_place(a.path, b.path + ".part")) {
    fail_usage("{} {} and {} {} are the same file", a.option, a.path, b.option, b.path);
  }
}

}  // namespace

void check_outputs(const std::vector<OutputPlace>& outputs, const std::function<std::vector<InputPlace>()>& inputs) {
  for (const OutputPlace& output : outputs) check_name(output);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) check_pair(outputs[j], outputs[i]);
  }
  // A file that is not there yet is not read.
  const bool any_there = std::any_of(outputs.begin(), outputs.end(), [](const OutputPlace& output) {
    std::error_code ignored;
    return fs::exists(output.path, ignored) || fs::exists(output.path + ".part", ignored);
  });
  const std::vector<InputPlace> read = any_there ? inputs() : std::vector<InputPlace>{};
  for (const OutputPlace& output : outputs) {
    if (output.path != kToStdout) check_place(output, read);
  }
}

}  // namespace gpueval
