// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace gpueval {

// dst[i] = exp(logits[i] - most), detector::double_exponential's: by the widest vectors that the CPU has, the same
// bits.
void exponentials(std::span<const float> logits, float most, double* dst);

}  // namespace gpueval
