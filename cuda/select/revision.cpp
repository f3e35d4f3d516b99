// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/tuning_cache.h"
#include "gpueval_revision.h"

namespace gpueval::cuda {

std::string build_revision() { return GPUEVAL_REVISION; }

}  // namespace gpueval::cuda
