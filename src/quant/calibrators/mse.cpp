// SPDX-License-Identifier: Apache-2.0
// The clip with the least expected squared error. Magnitudes are taken as uniform within a bin, so the error of a clip
// c with scale s = c / levels is a sum of exact integrals: of (x - s * rint(x / s))^2 up to c + s / 2, where rounding
// ends, and of (x - c)^2 beyond. Zeros have no error. Candidates: 128 even steps of the largest magnitude, then 16
// between the best one's neighbours, and so on three times: down to 1 / 65,536 of it. The larger clip wins a tie.
#include <algorithm>
#include <cmath>

#include "quant/calibrators/calibrators.h"

namespace gpueval {
namespace {

constexpr int kCoarse = 128, kFine = 16, kRefinements = 3;

double cube(double x) { return x * x * x; }

// Integral of the squared error from 0 to x: s^3 / 12 for each whole step up to the rounding point r = s * rint(x / s),
// then (x - r)^3 / 3, negative where x < r.
double error_integral(double x, double clip, double step) {
  const double r = std::min(step * std::floor(x / step + 0.5), clip);
  return r * step * step / 12 + cube(x - r) / 3;
}

double squared_error(const Histogram& histogram, double clip, int levels) {
  const double width = histogram.width(), step = clip / levels;
  double sum = 0, below = 0;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    const double upto = error_integral(static_cast<double>(i + 1) * width, clip, step);
    sum += static_cast<double>(histogram.counts[i]) * (upto - below);
    below = upto;
  }
  return sum / width;
}

float range(const Histogram& histogram, DType dtype, const QuantOptions&) {
  const int levels = largest_integer(dtype);
  double best = histogram.max, least = squared_error(histogram, best, levels), step = best / kCoarse;
  const auto search = [&](double from, double to) {
    for (double clip = to; clip > from; clip -= step) {
      const double error = squared_error(histogram, clip, levels);
      if (error < least) {
        least = error;
        best = clip;
      }
    }
  };
  search(step / 2, histogram.max);
  for (int i = 0; i < kRefinements; ++i) {
    const double low = std::max(best - step, 0.0), high = std::min(best + step, static_cast<double>(histogram.max));
    step = step * 2 / kFine;
    search(std::max(low, step / 2), high);
  }
  return static_cast<float>(best);
}

}  // namespace

CalibratorSpec mse_calibrator();

CalibratorSpec mse_calibrator() {
  return {.name = "mse",
          .description = "least squared rounding and clipping error",
          .scheme = Scheme::kMse,
          .needs_histogram = true,
          .range = range};
}

}  // namespace gpueval
