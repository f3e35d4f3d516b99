// SPDX-License-Identifier: Apache-2.0
// Softmax, normalizations and reductions, float32, with pitches. Sums in double. All use every thread.
#pragma once

#include <vector>

#include "gpueval/engine.h"
#include "gpueval/graph.h"

namespace gpueval::cpu {

// Over each pixel's channels: exp(x - max) / sum.
void softmax_f32(const TensorView& src, const TensorView& dst);
// As ops.inc says of Normalize. gamma, beta: one number a channel, or null.
void normalize_f32(const TensorView& src, const Normalize& op, const std::vector<float>* gamma,
                   const std::vector<float>* beta, const TensorView& dst);
// Over the extents of which dst has 1 because op says so.
void reduce_f32(const TensorView& src, const Reduce& op, const TensorView& dst);

}  // namespace gpueval::cpu
