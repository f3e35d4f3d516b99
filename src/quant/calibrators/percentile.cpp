// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "gpueval/error.h"
#include "quant/calibrators/calibrators.h"

namespace gpueval {
namespace {

// The r with a share of percentile / 100 of all |x|, zeros included, at or below it; linear within a bin. Where zeros
// alone reach the share, there is no such r > 0: the largest magnitude.
float range(const Histogram& histogram, DType, const QuantOptions& options) {
  if (!(options.percentile > 0 && options.percentile <= 100)) {
    fail_usage("--calibration-percentile {}: a number above 0 and at most 100 is expected", options.percentile);
  }
  const double wanted = options.percentile / 100 * static_cast<double>(histogram.total());
  auto below = static_cast<double>(histogram.zeros);
  if (below >= wanted) return histogram.max;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    const auto count = static_cast<double>(histogram.counts[i]);
    if (below + count >= wanted && count > 0) {
      const double r = histogram.width() * (static_cast<double>(i) + (wanted - below) / count);
      return std::fmin(static_cast<float>(r), histogram.max);
    }
    below += count;
  }
  return histogram.max;
}

}  // namespace

CalibratorSpec percentile_calibrator();

CalibratorSpec percentile_calibrator() {
  return {.name = "percentile",
          .description = "--calibration-percentile of the magnitudes: a few outliers are clipped",
          .scheme = Scheme::kPercentile,
          .needs_histogram = true,
          .range = range};
}

}  // namespace gpueval
