// SPDX-License-Identifier: Apache-2.0
// The embedded networks: toys with trained weights, part of the program itself: "demo" (the default),
// "demo-segmentation" and "demo-detection".
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "gpueval/weights.h"

namespace gpueval {

bool embeds_weights(const std::string& model);

// The bytes of models/demo/demo.h5, demo_segmentation.h5 or demo_detection.h5, Keras weight files.
std::span<const std::byte> embedded_weights(const std::string& model);

// The same as read_weight_file gives it; its path reads "embedded demo.h5".
WeightFile read_embedded_weights(const std::string& model);
WeightFile read_demo_weights();  // of "demo"

}  // namespace gpueval
