// SPDX-License-Identifier: Apache-2.0
// Seeded random numbers that are the same with every compiler and library (std:: distributions are not).
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace gpueval {

// SplitMix64 (Steele, Lea, Flood 2014): one addition and a mix a number.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)
  double uniform(double lo, double hi) { return lo + (hi - lo) * uniform(); }
  int integer(int lo, int hi) {  // [lo, hi], both ends included
    return lo + static_cast<int>(next() % static_cast<std::uint64_t>(std::int64_t{hi} - lo + 1));
  }
  double normal() {  // Box-Muller, one of the pair
    const double r = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return r * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace gpueval
