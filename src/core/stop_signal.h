// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gpueval {

constexpr int kExitInterrupted = 130;  // 128 + SIGINT, as shells say it

// While it lives, the first SIGINT or SIGTERM only sets a flag, so that a run ends with what is there; a second one
// kills.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  static bool raised();
};

}  // namespace gpueval
