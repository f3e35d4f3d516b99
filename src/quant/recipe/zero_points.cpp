// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/zero_points.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace gpueval {
namespace {

// Ends of the candidates, in units of the smallest and the largest value.
constexpr std::array kLow = {1.0, .85, .7, .6, .5, .42, .35, .3, .25, .2, .16, .12, .09, .06, .03};
constexpr std::array kHigh = {1.0, .97, .94, .9, .86, .82, .78, .74, .7, .65, .6, .5, .4, .3, .2, .1};

double finite(double value) { return std::isfinite(value) ? value : 0; }

// The finest ones that hold both ends.
ZeroPoint codes_between(double low, double high) {
  const auto scale_of = [&](int zero_point) { return std::max(high / (255 - zero_point), -low / zero_point); };
  int zero_point = std::clamp(static_cast<int>(-low / (high - low) * 255), 1, 254);
  if (zero_point < 254 && scale_of(zero_point + 1) < scale_of(zero_point)) ++zero_point;
  return {static_cast<float>(scale_of(zero_point) * (255 - zero_point)), zero_point};
}

// What is to be right: a function of the values, or (none) the values.
using Reader = const Function*;
double behind(Reader reader, double x) { return reader == nullptr ? x : finite(apply(*reader, x)); }

class Search {
 public:
  Search(const SignedHistogram& histogram, std::span<const Function> functions) : histogram_(histogram) {
    for (const Function& function : functions) readers_.push_back(&function);
    if (readers_.empty()) readers_.push_back(nullptr);
    for (const Reader reader : readers_) {
      for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin)
        exact_.push_back(behind(reader, histogram.value(bin)));
    }
  }

  // Of all values behind all readers.
  double squared_error(const ZeroPoint& codes) const {
    const double scale = double{codes.range} / (255 - codes.zero_point);
    double sum = 0;
    auto exact = exact_.begin();
    for (const Reader reader : readers_) {
      std::array<double, 256> table{};
      for (std::size_t q = 0; q < table.size(); ++q)
        table[q] = behind(reader, scale * (static_cast<double>(q) - codes.zero_point));
      for (std::size_t bin = 0; bin < histogram_.counts.size(); ++bin) {
        const double q = std::nearbyint(histogram_.value(bin) / scale) + codes.zero_point;
        const double error = *exact++ - table[static_cast<std::size_t>(std::clamp(q, 0.0, 255.0))];
        sum += static_cast<double>(histogram_.counts[bin]) * error * error;
      }
    }
    return sum;
  }

 private:
  const SignedHistogram& histogram_;
  std::vector<Reader> readers_;
  std::vector<double> exact_;  // [reader][bin]
};

}  // namespace

void SignedHistogram::add(std::span<const float> values) {
  const float bins_per_unit = static_cast<float>(kBins) / (largest - least);
  counts.resize(kBins);
  for (const float x : values) {
    const float bin = (x - least) * bins_per_unit;
    ++counts[static_cast<std::size_t>(std::min(std::max(0.0f, bin), static_cast<float>(kBins - 1)))];
  }
}

double SignedHistogram::value(std::size_t bin) const {
  return least + (double{largest} - least) * (static_cast<double>(bin) + 0.5) / kBins;
}

ZeroPoint find_zero_point(const SignedHistogram& histogram, std::span<const Function> functions) {
  if (!std::isfinite(histogram.largest - histogram.least)) return {.range = std::numeric_limits<float>::infinity()};
  if (!(histogram.largest - histogram.least > 1e-30f)) return {};
  const Search search(histogram, functions);
  // Zero has a code, whatever the signs.
  const double least = std::min(0.0, double{histogram.least}), largest = std::max(0.0, double{histogram.largest});
  ZeroPoint best = codes_between(least, largest);
  double error = search.squared_error(best);
  for (const double low : kLow) {
    for (const double high : kHigh) {
      const ZeroPoint candidate = codes_between(low * least, high * largest);
      const double own = search.squared_error(candidate);
      if (own < error) best = candidate, error = own;
    }
  }
  return best;
}

}  // namespace gpueval
