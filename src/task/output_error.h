// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpueval/task.h"

namespace gpueval {

// Sums of squares over all numbers of an image's outputs: of the reference, and of the difference. 0 where a number of
// either is not finite.
struct OutputError {
  double signal = 0, noise = 0;
};
OutputError output_error(ImageOutputs reference, ImageOutputs outputs);

// As that of an image; without a signal nothing was measured.
inline LogitError logit_error_of(const OutputError& error) {
  return {error.signal, error.noise, 0, error.signal > 0 ? 1 : 0};
}

bool any_nan(ImageOutputs outputs);

}  // namespace gpueval
