// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace gpueval {

// Seconds of a clock that never goes back; only differences mean anything.
inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace gpueval
