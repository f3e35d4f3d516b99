// SPDX-License-Identifier: Apache-2.0
// In which numbers a network computes: a row of every result.
#pragma once

#include <array>
#include <string>

namespace gpueval {

// TF32 and float16 (float16 tensors, float32 sums) are a GPU's; int8 is src/quant's.
enum class Precision { kFloat32, kTf32, kFloat16, kInt8 };
inline constexpr std::array kPrecisions{Precision::kFloat32, Precision::kTf32, Precision::kFloat16, Precision::kInt8};

std::string to_string(Precision precision);          // "float32", "tf32", "float16", "int8"
Precision parse_precision(const std::string& name);  // usage error that lists the names

}  // namespace gpueval
