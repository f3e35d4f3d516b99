// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace gpueval::cuda {

// The compute capability x 10 of the code that a GPU of `sm` runs, of those that CMAKE_CUDA_ARCHITECTURES
// ("75-real,80", "native", "all", "all-major") asks for: machine code of its own major version and no newer minor one,
// else the newest PTX that is no newer than it. 0: none. It may lack instructions that the GPU has.
int code_for(std::string_view architectures, int sm);

}  // namespace gpueval::cuda
