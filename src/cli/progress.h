// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "gpueval/session.h"

namespace gpueval::cli {

// One line on stderr, rewritten a few times a second and wiped at the end; silent where stderr is no terminal.
class Progress : public Observer {
 public:
  Progress();
  ~Progress() override;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void on_step(const std::string& text) override;
  void on_accuracy(const AccuracyProgress& progress) override;
  void on_speed(const SpeedProgress& progress) override;
  void on_note(const std::string& sentence) override;

 private:
  void wipe();
  bool due();
  void draw(const std::string& text);

  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

// What the step returns, which is given an observer that shows how far it is.
template <typename Step>
auto with_progress(Step step) {
  Progress progress;
  return step(progress);
}

}  // namespace gpueval::cli
