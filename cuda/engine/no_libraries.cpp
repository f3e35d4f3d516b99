// SPDX-License-Identifier: Apache-2.0
// What cuda/library/ says where it is not built.
#if !defined(GPUEVAL_WITH_LIBRARIES)
#include "cuda/library/baselines.h"

namespace gpueval::cuda {

std::span<const FloatBaseline> float_baselines() { return {}; }
std::span<const IntegerBaseline> integer_baselines() { return {}; }
std::vector<LibraryInfo> library_infos() { return {{"cuDNN", "", library_description()}}; }
std::string library_description() { return "built without the headers of cuDNN and cuBLAS"; }

}  // namespace gpueval::cuda
#endif
