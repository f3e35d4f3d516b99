// SPDX-License-Identifier: Apache-2.0
// The devices that tests of cuda/ run on, open as long as the test program.
#pragma once

#include <memory>
#include <string>

#include "cuda/runtime/runtime.h"

namespace gpueval::cuda {

inline Runtime& emu_runtime() {
  static const std::shared_ptr<Runtime> runtime = open_emulator();
  return *runtime;
}

// The first GPU; null where there is none, and *why says so.
inline Runtime* gpu_runtime(std::string* why) {
  static std::string reason;
  static const std::shared_ptr<Runtime> runtime = open_gpu(0, &reason);
  if (!runtime) *why = reason;
  return runtime.get();
}

}  // namespace gpueval::cuda
