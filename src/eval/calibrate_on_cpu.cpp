// SPDX-License-Identifier: Apache-2.0
#include "gpueval/quant.h"

namespace gpueval {

CalibrationTable calibrate(const Graph& bound, const CalibrationImages& images, const QuantOptions& options,
                           const std::function<void(int done, int total)>& progress) {
  return calibrate(bound, images, options, executor_of("cpu"), progress);
}

}  // namespace gpueval
