// SPDX-License-Identifier: Apache-2.0
// How Keras's generations spell the names of layers and weights.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gpueval/graph.h"

namespace gpueval {

// "0", "1", ...: the names of a Keras 3 layer's arrays. At most nine digits.
bool is_number(const std::string& text);

// "conv2d_12" -> {"conv2d", 12}; without a number: {name, 0}. Compares as Keras numbers groups.
std::pair<std::string, int> split_number(const std::string& name);

// "BatchNormalization" -> "batch_normalization", "Conv2D" -> "conv2d", "ReLU" -> "re_lu": to_snake_case of Keras.
std::string snake_case(const std::string& name);

// "/" and "_" in a layer's name are equal: Keras 3 forbids the first.
std::string normalized_name(std::string_view name);

// A name that Keras made up itself: "conv2d_7", "convolution2d_3", "batch_normalization" (number 0).
struct AutoName {
  std::string op;  // op_name of the layer's node: "Conv2D", "BatchNorm", ...
  int number = 0;
};
std::optional<AutoName> parse_auto_name(const std::string& name);

// What a weight is, by the end of its name: "conv1_W:0", "block1_conv1_W_1:0", "conv1/kernel:0", "conv1/conv1/kernel",
// "bn_running_std:0" (which holds the variance). nullopt: the name does not tell ("0", "1" in Keras 3 files).
std::optional<Role> parse_role(std::string_view weight_name);

}  // namespace gpueval
