// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace gpueval {

// Maps values to pixels [begin, end] and knows where its ticks are.
class Scale {
 public:
  // Values from low to high, with a margin and round ends.
  static Scale linear(double low, double high, double begin, double end);
  static Scale logarithmic(double low, double high, double begin, double end);

  double pixel(double value) const;
  const std::vector<double>& ticks() const { return ticks_; }

 private:
  Scale(double low, double high, double begin, double end, bool logarithmic);
  double low_, high_, begin_, end_;
  bool logarithmic_;
  std::vector<double> ticks_;
};

}  // namespace gpueval
