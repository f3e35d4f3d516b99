// SPDX-License-Identifier: Apache-2.0
// Weight layouts that several kernels share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/round_up.h"
#include "cuda/conv/conv_kernel.h"

namespace gpueval::cuda {

using gpueval::round_up;

// [K][R][S][C] -> [round_up(K, k_multiple)][R][S][round_up(C, c_multiple)], the rest zero. Depthwise problems:
// [R][S][C] -> [R][S][round_up(C, c_multiple)].
std::vector<std::int8_t> pack_padded(const ConvProblem& problem, std::span<const std::int8_t> weights, int k_multiple,
                                     int c_multiple);

// The same for an implicit GEMM that reads the depth in steps: [round_up(K, k_multiple)][round_up(R * S *
// round_up(C, 16), depth_multiple)].
std::vector<std::int8_t> pack_gemm(const ConvProblem& problem, std::span<const std::int8_t> weights, int k_multiple,
                                   int depth_multiple);

// Of kernels that need no scratch.
inline std::size_t no_workspace(const ConvProblem&, int) { return 0; }

}  // namespace gpueval::cuda
