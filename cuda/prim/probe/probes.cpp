// SPDX-License-Identifier: Apache-2.0
#include "cuda/prim/probe/probes.h"

#include "cuda/runtime/runtime.h"

namespace gpueval::cuda {

const Probes& probes([[maybe_unused]] const Runtime& runtime) {
#if defined(GPUEVAL_WITH_GPU)
  if (!runtime.properties().emulated) return gpu::probes();
#endif
  return emu::probes();
}

}  // namespace gpueval::cuda
