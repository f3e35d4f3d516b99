// SPDX-License-Identifier: Apache-2.0
// A double as its bits and back, and how many bits of a word are set.
#pragma once

#include "cuda/prim/target.h"

namespace gpueval::GPUEVAL_TARGET {

#if defined(__CUDACC__)
GPUEVAL_DEVICE std::int64_t double_bits(double v) { return __double_as_longlong(v); }
GPUEVAL_DEVICE double bits_double(std::int64_t v) { return __longlong_as_double(v); }
GPUEVAL_DEVICE int count_bits(std::uint32_t v) { return __popc(v); }
#else
inline std::int64_t double_bits(double v) { return __builtin_bit_cast(std::int64_t, v); }
inline double bits_double(std::int64_t v) { return __builtin_bit_cast(double, v); }
inline int count_bits(std::uint32_t v) { return __builtin_popcount(v); }
#endif

}  // namespace gpueval::GPUEVAL_TARGET
