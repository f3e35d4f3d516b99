// SPDX-License-Identifier: Apache-2.0
// Sizes of pictures, to see whether a truth is of the same one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gpueval/image.h"

namespace gpueval::data {

struct PictureSize {
  int width = 0, height = 0;  // 0: not known
  bool known() const { return width > 0 && height > 0; }
  PictureSize turned() const { return {height, width}; }
  bool operator==(const PictureSize&) const = default;
};
std::string to_string(const PictureSize& size);  // "500 x 375"

// As its header says, not turned; not known for damaged ones.
PictureSize stored_size(std::span<const std::uint8_t> picture);
// Of a PNG file, whose first bytes alone are read.
PictureSize png_size(const std::string& path);

// 1 to 8, of a JPEG or PNG.
int stored_orientation(std::span<const std::uint8_t> picture);

// Truths are of pictures as stored or as turned by their EXIF orientation, whoever drew them; a quarter turn shows in
// the size. False: `wanted` is neither. `image` becomes the one that has it.
bool fit_orientation(Image& image, int orientation, const PictureSize& wanted);

}  // namespace gpueval::data
