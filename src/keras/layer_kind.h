// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace gpueval::keras {

// "my>Swish" -> "Swish": a registered class of the user's own stands behind its package.
std::string_view without_package(std::string_view class_name);

// Keras 2's name of a layer's class: "Convolution2D" -> "Conv2D". Merge layers tell theirs by their mode.
std::string layer_kind(std::string_view class_name, const nlohmann::json& config);

}  // namespace gpueval::keras
