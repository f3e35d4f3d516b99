// SPDX-License-Identifier: Apache-2.0
// core/detector_functions.inl.h on the host.
#pragma once

#include <cmath>
#include <cstdint>

#include "gpueval/graph.h"

namespace gpueval::detector {

inline float bits_float(int bits) { return __builtin_bit_cast(float, bits); }
inline int float_bits(float x) { return __builtin_bit_cast(int, x); }
inline double bits_double(std::int64_t bits) { return __builtin_bit_cast(double, bits); }
inline std::int64_t double_bits(double x) { return __builtin_bit_cast(std::int64_t, x); }
inline float power_of(float x, float exponent) { return std::pow(x, exponent); }
#define GPUEVAL_FLOAT_FUNCTION inline
#include "core/float_functions.inl.h"

#include "core/detector_functions.inl.h"
#undef GPUEVAL_FLOAT_FUNCTION

}  // namespace gpueval::detector
