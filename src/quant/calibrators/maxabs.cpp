// SPDX-License-Identifier: Apache-2.0
#include "quant/calibrators/calibrators.h"

namespace gpueval {

CalibratorSpec maxabs_calibrator();

CalibratorSpec maxabs_calibrator() {
  return {.name = "maxabs",
          .description = "the largest magnitude: nothing is clipped",
          .scheme = Scheme::kMaxAbs,
          .needs_histogram = false,
          .range = [](const Histogram& histogram, DType, const QuantOptions&) { return histogram.max; }};
}

}  // namespace gpueval
