// SPDX-License-Identifier: Apache-2.0
// Whether the files that a program will write can be written, before anything is read or measured.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace gpueval {

inline constexpr const char* kToStdout = "-";

struct OutputPlace {
  std::string option, path;             // as the user named it: "--json", "r.json"
  std::vector<std::string> extensions;  // those of its format; the first is the usual one
  bool printable = false;               // may be "-", standard output
};
struct InputPlace {
  std::string option, path;
};

// Usage errors: two outputs in one place, an output over a file that is read, a name that says another format. Error
// with the system's reason: a place that cannot be written. inputs(): asked only where an output is there already.
void check_outputs(const std::vector<OutputPlace>& outputs, const std::function<std::vector<InputPlace>()>& inputs);

}  // namespace gpueval
