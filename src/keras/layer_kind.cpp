// SPDX-License-Identifier: Apache-2.0
#include "keras/layer_kind.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace gpueval::keras {
namespace {

using Json = nlohmann::json;

// Keras 1's layer for everything with several inputs.
std::string merge_kind(const Json& config) {
  const auto text = [&](const char* key) {
    const auto value = config.is_object() ? config.find(key) : config.end();
    return value != config.end() && value->is_string() ? value->get<std::string>() : std::string();
  };
  if (config.is_object() && config.contains("layers") && !config["layers"].is_null()) return "Merge of models";
  const std::string mode = text("mode"), type = text("mode_type");
  if (!type.empty() && type != "raw") return "Merge of mode lambda";  // "lambda", or "function" with a name as its mode
  static constexpr std::array<std::pair<std::string_view, const char*>, 5> kModes{
      {{"sum", "Add"}, {"mul", "Multiply"}, {"concat", "Concatenate"}, {"ave", "Average"}, {"max", "Maximum"}}};
  for (const auto& [name, kind] : kModes) {
    if (mode == name) return kind;
  }
  return "Merge of mode " + (mode.empty() ? "lambda" : mode);
}

// Lambdas of packages whose code is known by its module and what the code is given; every other remains "Lambda".
std::string lambda_kind(const Json& config) {
  const Json arguments = config.is_object() ? config.value("arguments", Json()) : Json();
  const Json module = config.is_object() ? config.value("module", Json()) : Json();
  if (!arguments.is_object() || !module.is_string()) return "Lambda";
  const auto has = [&](std::initializer_list<const char*> names) {
    return arguments.size() == names.size() &&
           std::all_of(names.begin(), names.end(), [&](const char* name) { return arguments.contains(name); });
  };
  const std::string name = module.get<std::string>();
  const bool common_blocks = name == "classification_models.models._common_blocks";
  if (common_blocks && has({"channels_axis"})) return "LambdaExpandDims";
  if (common_blocks && has({"start", "stop", "axis"})) return "LambdaSlice";
  if (name.ends_with(".inception_resnet_v2") && has({"scale"})) return "LambdaScaledSum";
  return "Lambda";
}

}  // namespace

std::string_view without_package(std::string_view class_name) {
  const std::size_t at = class_name.rfind('>');
  return at == std::string_view::npos ? class_name : class_name.substr(at + 1);
}

std::string layer_kind(std::string_view class_name, const Json& config) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNames{{
      {"Convolution2D", "Conv2D"},
      {"AtrousConvolution2D", "Conv2D"},
      {"SeparableConvolution2D", "SeparableConv2D"},
      {"MaxPool2D", "MaxPooling2D"},
      {"AvgPool2D", "AveragePooling2D"},
      {"GlobalAvgPool2D", "GlobalAveragePooling2D"},
      {"Merge", ""},
  }};
  class_name = without_package(class_name);
  for (const auto& [old_name, name] : kNames) {
    if (class_name != old_name) continue;
    return name.empty() ? merge_kind(config) : std::string(name);
  }
  if (class_name == "Lambda") return lambda_kind(config);
  // tf-keras's classes of both versions of batch norm; DepthwiseConv2D of keras.applications' own file in Keras 2.1.
  if (class_name.starts_with("BatchNormalization")) return "BatchNormalization";
  return std::string(class_name);
}

}  // namespace gpueval::keras
