// SPDX-License-Identifier: Apache-2.0
#include "report/svg_axis.h"

#include <algorithm>
#include <cmath>

namespace gpueval {
namespace {

constexpr int kTicks = 6;

// The smallest of 1, 2, 5 times a power of ten that needs at most kTicks steps.
double round_step(double span) {
  const double least = span / kTicks;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least) return factor * power;
  }
  return 10 * power;
}

}  // namespace

Scale::Scale(double low, double high, double begin, double end, bool logarithmic)
    : low_(low), high_(high), begin_(begin), end_(end), logarithmic_(logarithmic) {}

Scale Scale::linear(double low, double high, double begin, double end) {
  if (!(high > low)) {
    const double room = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= room;
    high = low + 2 * room;
  }
  const double step = round_step(high - low);
  const double first = std::floor(low / step), last = std::ceil(high / step);
  Scale scale(first * step, last * step, begin, end, false);
  for (double i = first; i <= last; ++i) scale.ticks_.push_back(i * step);
  return scale;
}

Scale Scale::logarithmic(double low, double high, double begin, double end) {
  Scale scale(low / 1.25, high * 1.25, begin, end, true);
  for (double power = std::pow(10, std::floor(std::log10(scale.low_))); power <= scale.high_; power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor * power >= scale.low_ && factor * power <= scale.high_) scale.ticks_.push_back(factor * power);
    }
  }
  return scale;
}

double Scale::pixel(double value) const {
  const double share = logarithmic_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
  return begin_ + share * (end_ - begin_);
}

}  // namespace gpueval
