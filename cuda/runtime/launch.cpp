// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime/launch.h"

#include "gpueval/error.h"

namespace gpueval::cuda {

void fail_launch(const char* kernel, const char* reason) {
  fail("kernel '{}' could not be launched: {}", kernel, reason);
}

}  // namespace gpueval::cuda
