// SPDX-License-Identifier: Apache-2.0
// In the place of runtime/gpu/ where no CUDA toolkit was there to build it.
#include "cuda/runtime/runtime.h"

#if !defined(GPUEVAL_WITH_GPU)
namespace gpueval::cuda {

int gpu_count(std::string* why) {
  if (why != nullptr) *why = "this program was built without a CUDA toolkit";
  return 0;
}

std::shared_ptr<Runtime> open_gpu(int, std::string* why) {
  gpu_count(why);
  return nullptr;
}

}  // namespace gpueval::cuda
#endif
