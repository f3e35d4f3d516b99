// SPDX-License-Identifier: Apache-2.0
// Small pictures for pages.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gpueval/image.h"
#include "gpueval/truth.h"

namespace gpueval {

struct PictureSize {
  int height = 0, width = 0;
};
// side: most of the longer one, at least 1. Not larger than it is.
PictureSize shrunk_size(const PictureSize& size, int side);
Image shrunk(const Image& image, int side);                   // to that; the mean of the pixels that come together
LabelMap shrunk(const LabelMap& map, int height, int width);  // the class in the middle of those that come together

// quality: 1 to 100. Error where libjpeg-turbo gives one.
std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality);

using TranslucentColor = std::array<std::uint8_t, 4>;  // R, G, B, opacity
std::vector<std::uint8_t> encode_overlay(const LabelMap& map, std::span<const TranslucentColor, 256> colors);  // a PNG

}  // namespace gpueval
