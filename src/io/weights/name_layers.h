// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpueval/weights.h"

namespace gpueval {

// Names the layers of a Keras 3 archive that does not: the n-th group of a class is the n-th layer of that class in the
// description (file.config). Throws Error for a description that is none.
void name_layers(WeightFile& file);

}  // namespace gpueval
