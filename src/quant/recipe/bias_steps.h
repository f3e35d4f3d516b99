// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

namespace gpueval {

constexpr double kMostBiasSteps = 1 << 30;  // leaves the other half of int32 to the sum of products

// The nearest bias that an int32 accumulator can hold. Runtimes that add the bias to the accumulator (ONNX Runtime)
// then compute what we do.
inline double whole_steps(double bias, double step) {
  const double steps = bias / step;
  return std::abs(steps) < kMostBiasSteps ? std::nearbyint(steps) * step : bias;
}

}  // namespace gpueval
