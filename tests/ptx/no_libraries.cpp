// SPDX-License-Identifier: Apache-2.0
// Before the real loader of cuDNN and cuBLASLt: they would talk to a GPU, not to the interpreter.
#include "cuda/library/dynamic_library.h"

namespace gpueval::cuda {

DynamicLibrary::DynamicLibrary(std::span<const char* const>) { why_ = "the PTX interpreter has no libraries"; }
void* DynamicLibrary::symbol(const char*) { return nullptr; }
std::vector<std::string> library_candidates(std::span<const char* const>, const std::string&) { return {}; }

}  // namespace gpueval::cuda
