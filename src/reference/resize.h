// SPDX-License-Identifier: Apache-2.0
// Where the pixels of a resized map lie in its source, by Grid's formulas.
#pragma once

#include <algorithm>
#include <cmath>

#include "gpueval/graph.h"

namespace gpueval::reference {

// Row or column i of `to` in a source of `from`: a fraction, exact.
struct Position {
  std::int64_t numerator = 0, denominator = 1;
};
inline Position position(Grid grid, int i, int from, int to) {
  if (grid == Grid::kHalfPixel) return {(std::int64_t{2} * i + 1) * from - to, std::int64_t{2} * to};
  if (grid == Grid::kAsymmetric) return {std::int64_t{i} * from, to};
  return to == 1 ? Position{} : Position{std::int64_t{i} * (from - 1), to - 1};
}

// The pixel there: of the one whose square it is in (its corner: kAsymmetric), of two as near that behind.
inline int nearest(Grid grid, int i, int from, int to) {
  Position at = position(grid, i, from, to);
  if (grid != Grid::kAsymmetric) at = {2 * at.numerator + at.denominator, 2 * at.denominator};
  return static_cast<int>(std::min<std::int64_t>(at.numerator / at.denominator, from - 1));
}

}  // namespace gpueval::reference
