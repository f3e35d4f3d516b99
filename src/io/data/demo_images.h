// SPDX-License-Identifier: Apache-2.0
// The pictures of the embedded toy problem. Ten classes of shapes, textured, on a cluttered background, partly covered,
// with noise. Integer arithmetic only: the same bytes on every machine and with every compiler.
#pragma once

#include <cstdint>

#include "gpueval/dataset.h"

namespace gpueval::data {

inline constexpr int kDemoSize = 96;  // pictures are 96 x 96
inline constexpr int kDemoClasses =
    10;  // disc, ring, square, bar, triangle, cross, hexagon, crescent, half disc, frame

// Class of picture `index` of the stream `seed`; draw_demo_image paints it.
int demo_label(std::uint64_t seed, std::uint64_t index);
Image draw_demo_image(std::uint64_t seed, std::uint64_t index);

}  // namespace gpueval::data
