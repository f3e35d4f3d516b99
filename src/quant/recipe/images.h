// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpueval/quant.h"

namespace gpueval {

// The images, then all of them again mirrored left to right.
CalibrationImages with_flips(CalibrationImages images, const Shape& image);

}  // namespace gpueval
