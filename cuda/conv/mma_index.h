// SPDX-License-Identifier: Apache-2.0
// Index arithmetic of the tensor-core convolutions without divisions on the device: constexpr integers only.
#pragma once

#include <cstdint>

namespace gpueval::cuda {

// n / divisor for 0 <= n < 2^31, divisor >= 1, by one multiplication: multiplier = ceil(2^shift / divisor) with
// 2^(shift - 31) >= divisor is off by less than 2^(shift - 31) / 2^shift a unit of n, too little to reach the next
// integer.
struct Divisor {
  std::uint32_t divisor = 1, multiplier = 1u << 31, shift = 31;

  constexpr Divisor() = default;
  constexpr explicit Divisor(int by) : divisor(static_cast<std::uint32_t>(by)) {
    while ((std::uint64_t{1} << (shift - 31)) < divisor) ++shift;
    multiplier = static_cast<std::uint32_t>(((std::uint64_t{1} << shift) + divisor - 1) / divisor);
  }
  constexpr int quotient(int n) const {
    return static_cast<int>((static_cast<std::uint64_t>(static_cast<std::uint32_t>(n)) * multiplier) >> shift);
  }
  constexpr int remainder(int n, int its_quotient) const { return n - its_quotient * static_cast<int>(divisor); }
};

struct TilePosition {
  int m = 0, n = 0;
};

// Which tile a block computes. Blocks that run together should share their operands in the second-level cache: the
// tiles are walked in panels of 16 columns, in a panel row by row. Up to 16 columns the source is read from memory
// once; beyond, it is once a panel, while the panel's weights stay in the cache.
struct TileOrder {
  static constexpr int kPanel = 16;
  int n_tiles = 1;
  Divisor panel_tiles, last_width;

  constexpr TileOrder() = default;
  constexpr TileOrder(int m_tiles, int columns)
      : n_tiles(columns),
        panel_tiles(m_tiles * kPanel),
        last_width(columns % kPanel == 0 ? kPanel : columns % kPanel) {}
  constexpr TilePosition at(int block) const {
    const int panel = panel_tiles.quotient(block), inside = panel_tiles.remainder(block, panel);
    const bool whole = (panel + 1) * kPanel <= n_tiles;
    const int m = whole ? inside / kPanel : last_width.quotient(inside);
    const int column = whole ? inside % kPanel : last_width.remainder(inside, m);
    return {m, panel * kPanel + column};
  }
};

}  // namespace gpueval::cuda
