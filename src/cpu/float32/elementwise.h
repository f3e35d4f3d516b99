// SPDX-License-Identifier: Apache-2.0
// Element by element, float32, with pitches. All use every thread.
#pragma once

#include <span>

#include "gpueval/engine.h"
#include "gpueval/graph.h"

namespace gpueval::cpu {

// dst = function(src)
void activate_f32(const TensorView& src, const Function& function, const TensorView& dst);
// dst = src, or alpha[i] * src where it is negative; i: the channel or, where there are as many, the element of an
// image
void prelu_f32(const TensorView& src, std::span<const float> alpha, const TensorView& dst);
// Where an extent of a source is 1, it is repeated to dst's.
void binary_f32(BinaryKind kind, const TensorView& a, const TensorView& b, const TensorView& dst);

}  // namespace gpueval::cpu
