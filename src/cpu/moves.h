// SPDX-License-Identifier: Apache-2.0
// Copies of elements of any type, by the maps of graph/moves.h. src and dst have one type and may have any pitch; all
// use every thread.
#pragma once

#include <span>

#include "gpueval/engine.h"
#include "graph/moves.h"

namespace gpueval::cpu {

// Copies src into dst's pixels, starting at row `top`, column `left`.
void copy_tensor(const TensorView& src, const TensorView& dst, int top = 0, int left = 0);
// The same, and zeros into all other pixels.
void zero_pad(const TensorView& src, const TensorView& dst, int top, int left);
// sources: of each pixel of an image of dst.
void move_pixels(const TensorView& src, std::span<const PixelSource> sources, const TensorView& dst);
void move_elements(const TensorView& src, const ElementSteps& steps, const TensorView& dst);
// The same elements in the same order.
void reshape(const TensorView& src, const TensorView& dst);

}  // namespace gpueval::cpu
