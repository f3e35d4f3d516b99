// SPDX-License-Identifier: Apache-2.0
// Between float32 and integer layers of a mixed-precision network. scale: one, or one per channel.
#pragma once

#include <span>

#include "cpu/int8/int8_ops.h"
#include "gpueval/engine.h"

namespace gpueval::cpu {

// dst = scale[c] * q
void dequantize(const QuantView& src, std::span<const float> scale, const TensorView& dst);
// q = rint(clamp(x / scale[c])): int8_ops.h's quantize() for a tensor with a scale per channel.
void quantize_channels(const TensorView& src, std::span<const float> scale, const QuantView& dst);

}  // namespace gpueval::cpu
