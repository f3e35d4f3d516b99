// SPDX-License-Identifier: Apache-2.0
#include "task/output_error.h"

#include <algorithm>
#include <cmath>

namespace gpueval {

OutputError output_error(ImageOutputs reference, ImageOutputs outputs) {
  OutputError error;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    for (std::size_t i = 0; i < outputs[k].size(); ++i) {
      const double r = reference[k][i], difference = r - outputs[k][i];
      error.signal += r * r;
      error.noise += difference * difference;
    }
  }
  return std::isfinite(error.signal) && std::isfinite(error.noise) ? error : OutputError{};
}

bool any_nan(ImageOutputs outputs) {
  return std::any_of(outputs.begin(), outputs.end(), [](std::span<const float> output) {
    return std::any_of(output.begin(), output.end(), [](float x) { return std::isnan(x); });
  });
}

}  // namespace gpueval
