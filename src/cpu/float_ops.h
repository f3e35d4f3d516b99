// SPDX-License-Identifier: Apache-2.0
// Float32 operations that oneDNN has no fast form of in NHWC with pitches. All use every thread.
#pragma once

#include <span>

#include "gpueval/engine.h"
#include "gpueval/graph.h"

namespace gpueval::cpu {

float activate(float x, Activation act);

// dst = act(a + b)
void add_f32(const TensorView& a, const TensorView& b, Activation act, const TensorView& dst);
// dst = act(src)
void relu_f32(const TensorView& src, Activation act, const TensorView& dst);
// dst = act(gamma * (src - mean) / sqrt(variance + eps) + beta), as gain = gamma / sqrt(..), dst = (src - mean) * gain
// + beta
void batch_norm_f32(const TensorView& src, std::span<const float> gain, std::span<const float> mean,
                    std::span<const float> beta, Activation act, const TensorView& dst);

// Byte-wise, for every element type: copies src into dst's pixels, starting at row `top`, column `left`.
void copy_tensor(const TensorView& src, const TensorView& dst, int top = 0, int left = 0);

}  // namespace gpueval::cpu
