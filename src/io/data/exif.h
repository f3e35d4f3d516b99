// SPDX-License-Identifier: Apache-2.0
// How a file says that its picture must be turned.
#pragma once

#include <cstdint>
#include <span>

#include "gpueval/dataset.h"

namespace gpueval::data {

// The EXIF orientation, 1 (as stored) to 8; 1 where the file has none or a damaged one.
int exif_orientation(std::span<const std::uint8_t> jpeg);
int png_orientation(std::span<const std::uint8_t> png);  // of its first eXIf chunk
// Turns and mirrors the picture so that it stands upright.
Image apply_orientation(Image image, int orientation);

}  // namespace gpueval::data
