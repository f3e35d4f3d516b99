// SPDX-License-Identifier: Apache-2.0
// The tiles of 4x4 outputs that Winograd's F(4x4, 3x3) cuts images into. Not for translation units with -m flags of
// their own: those take winograd_shape.h.
#pragma once

#include <cstdint>

#include "core/round_up.h"
#include "cpu/winograd_shape.h"

namespace gpueval::cpu {

struct WinogradTile {
  std::int64_t image = 0;
  int y = 0, x = 0;  // its first output pixel
};

class WinogradGrid {
 public:
  WinogradGrid(int p, int q) : rows_(ceil_div(p, kWinogradOut)), columns_(ceil_div(q, kWinogradOut)) {}
  std::int64_t tiles(int images) const { return std::int64_t{images} * rows_ * columns_; }
  // Row by row, image by image.
  WinogradTile at(std::int64_t tile) const {
    const std::int64_t row = tile / columns_;
    return {.image = row / rows_,
            .y = static_cast<int>(row % rows_) * kWinogradOut,
            .x = static_cast<int>(tile % columns_) * kWinogradOut};
  }

 private:
  int rows_, columns_;
};

}  // namespace gpueval::cpu
