// SPDX-License-Identifier: Apache-2.0
// Range and zero point of a tensor: the codes with the least squared error, of the tensor or, where functions alone
// read it, behind them. SiLU is flat far below zero and a sigmoid on both sides: what they do not tell apart needs no
// codes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval {

// Counts of a tensor's values in even bins from `least` to `largest`.
struct SignedHistogram {
  static constexpr int kBins = 4096;
  float least = 0, largest = 0;
  std::vector<std::uint64_t> counts = {};  // of kBins, once there are values

  void add(std::span<const float> values);
  double value(std::size_t bin) const;  // its middle
};

// real = range / (255 - zero_point) * (q - zero_point), q from 0 to 255.
struct ZeroPoint {
  float range = 0;
  int zero_point = 0;  // 1 to 254; 0: none, the tensor is zero throughout (or, with an infinite range, infinite)
};
ZeroPoint find_zero_point(const SignedHistogram& histogram, std::span<const Function> functions);

}  // namespace gpueval
