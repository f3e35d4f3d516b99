// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "gpueval/accuracy.h"
#include "gpueval/latency.h"

namespace gpueval::cli {

// One line on stderr, rewritten a few times a second and wiped at the end; silent where stderr is no terminal.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const AccuracyProgress& progress);
  void show(const SpeedProgress& progress);
  void show(const std::string& text);
  void show_now_and_then(const std::string& text);  // at most a few times a second

 private:
  bool due();

  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

std::string progress_text(const AccuracyProgress& progress);
std::string progress_text(const SpeedProgress& progress);

}  // namespace gpueval::cli
