// SPDX-License-Identifier: Apache-2.0
// From a network's logits to the class of each pixel of the picture.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpueval/preprocessing.h"
#include "gpueval/tensor.h"

namespace gpueval {

// How logits of a smaller map come to the size of the network's input, bilinearly: pixel i of n lies at
// kAligned: i (m - 1) / (n - 1) of m, corner on corner; kHalfPixel: (i + .5) m / n - .5, cut to the map.
enum class Upsample { kHalfPixel, kAligned };

// logits: map.h x map.w x map.c. They are brought to the input's size, the padding is cut off, and what is left is
// brought to the picture's size (bilinear, half pixels, as cv2.resize). The class is the channel of the largest; of one
// channel class 1 where it is above 0. Of equal logits the lower class, and where one is NaN LabelMap::kVoid. height x
// width, row by row; a few rows of floats are in memory at once.
std::vector<std::uint8_t> label_pixels(std::span<const float> logits, const Shape& map, const Shape& input,
                                       Upsample upsample, const Geometry& geometry, int height, int width);

}  // namespace gpueval
