// SPDX-License-Identifier: Apache-2.0
// The embedded default: a toy MobileNet and its trained weights, part of the program itself.
#pragma once

#include <cstddef>
#include <span>

#include "gpueval/weights.h"

namespace gpueval {

// The bytes of models/demo/demo.h5, a Keras weight file.
std::span<const std::byte> demo_weights();

// The same as read_weight_file gives it; its path reads "embedded demo.h5".
WeightFile read_demo_weights();

}  // namespace gpueval
