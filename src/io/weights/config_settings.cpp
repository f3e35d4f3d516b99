// SPDX-License-Identifier: Apache-2.0
#include "io/weights/config_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace gpueval {
namespace {

using Json = nlohmann::json;
using Settings = std::map<std::string, std::string>;

// The value of the first key that is there; Keras 1 had other names.
const Json* find(const Json& config, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const auto found = config.find(key);
    if (found != config.end() && !found->is_null()) return &*found;
  }
  return nullptr;
}

std::string number(const Json& value) {
  if (value.is_null()) return "?";
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_integer()) return fmt::format("{}", value.get<std::int64_t>());
  if (value.is_number()) return fmt::format("{:.9g}", value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string joined(const Json& list, std::size_t first, const char* separator) {
  std::string text;
  for (std::size_t i = first; i < list.size(); ++i) text += (i > first ? separator : "") + number(list[i]);
  return text;
}

// 3, [3, 3] -> "3x3"
std::string pair_text(const Json& value) {
  if (!value.is_array()) return fmt::format("{0}x{0}", number(value));
  return value.size() == 1 ? fmt::format("{0}x{0}", number(value[0])) : joined(value, 0, "x");
}

// 1, [1, 2], [[1, 1], [2, 2]] or [1, 1, 2, 2] -> "top,bottom,left,right"
std::string padding_text(const Json& value) {
  if (!value.is_array()) return fmt::format("{0},{0},{0},{0}", number(value));
  if (value.size() == 2 && value[0].is_array()) return joined(value[0], 0, ",") + "," + joined(value[1], 0, ",");
  if (value.size() == 2) return fmt::format("{0},{0},{1},{1}", number(value[0]), number(value[1]));
  return joined(value, 0, ",");
}

std::string relu_text(const Json& config) {
  const auto value = [&](std::initializer_list<const char*> keys) {
    const Json* found = find(config, keys);
    return found != nullptr && found->is_array() && found->size() == 1 ? &(*found)[0] : found;
  };
  const Json *most = value({"max_value"}), *slope = value({"negative_slope", "alpha"}), *least = value({"threshold"});
  const auto is_zero = [](const Json* number) {
    return number == nullptr || (number->is_number() && number->get<double>() == 0);
  };
  std::string text = "relu";
  if (most != nullptr) text += number(*most);
  if (!is_zero(slope)) text += fmt::format(" with slope {} below 0", number(*slope));
  if (!is_zero(least)) text += fmt::format(" above {}", number(*least));
  return text;
}

// "relu6", {"class_name": "function", "config": "relu6"}, {"class_name": "ReLU", "config": {"max_value": 6.0}}
std::string activation_text(const Json& value) {
  if (value.is_string()) {
    const std::string name(without_package(value.get_ref<const std::string&>()));
    return name == "swish" ? "silu" : name;
  }
  if (!value.is_object()) return "an unnamed function";
  const auto config = value.find("config");
  const std::string class_name = value.value("class_name", "");
  if (config != value.end() && config->is_string()) return activation_text(*config);
  if (without_package(class_name) == "ReLU" && config != value.end()) return relu_text(*config);
  if (without_package(class_name) == "Activation" && config != value.end() && config->contains("activation")) {
    return activation_text((*config)["activation"]);
  }
  std::string lower(without_package(class_name));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower.empty() ? "an unnamed function" : lower;
}

std::string data_format_text(const Json& value) {
  const std::string text = number(value);
  return text == "th" ? "channels_first" : text == "tf" ? "channels_last" : text;
}

std::string axis_text(const Json& value) { return value.is_array() ? joined(value, 0, ",") : number(value); }

using Text = std::string (*)(const Json&);
struct Rule {
  const char* name;
  std::initializer_list<const char*> keys;
  Text text;
};

void apply(std::initializer_list<Rule> rules, const Json& config, Settings& settings) {
  for (const Rule& rule : rules) {
    if (const Json* value = find(config, rule.keys)) settings[rule.name] = rule.text(*value);
  }
}

}  // namespace

std::string_view without_package(std::string_view class_name) {
  const std::size_t at = class_name.rfind('>');
  return at == std::string_view::npos ? class_name : class_name.substr(at + 1);
}

namespace {

// Keras 1's layer for everything with several inputs.
std::string merge_kind(const Json& config) {
  const auto text = [&](const char* key) {
    const Json* value = find(config, {key});
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
  };
  if (find(config, {"layers"}) != nullptr) return "Merge of models";
  const std::string mode = text("mode"), type = text("mode_type");
  if (!type.empty() && type != "raw") return "Merge of mode lambda";  // "lambda", or "function" with a name as its mode
  static constexpr std::array<std::pair<std::string_view, const char*>, 5> kModes{
      {{"sum", "Add"}, {"mul", "Multiply"}, {"concat", "Concatenate"}, {"ave", "Average"}, {"max", "Maximum"}}};
  for (const auto& [name, kind] : kModes) {
    if (mode == name) return kind;
  }
  return "Merge of mode " + (mode.empty() ? "lambda" : mode);
}

}  // namespace

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
  // tf-keras's classes of both versions of batch norm; DepthwiseConv2D of keras.applications' own file in Keras 2.1.
  if (class_name.starts_with("BatchNormalization")) return "BatchNormalization";
  return std::string(class_name);
}

std::map<std::string, std::string> layer_settings(const std::string& kind, const Json& config) {
  Settings settings;
  apply({{"data format", {"data_format", "dim_ordering"}, data_format_text},
         {"input shape", {"batch_input_shape", "batch_shape"}, [](const Json& v) { return joined(v, 1, "x"); }}},
        config, settings);
  if (kind.ends_with("Conv2D")) {
    apply({{"strides", {"strides", "subsample"}, pair_text},
           {"kernel size", {"kernel_size"}, pair_text},
           {"padding", {"padding", "border_mode"}, number},
           {"dilation", {"dilation_rate", "atrous_rate"}, pair_text},
           {"groups", {"groups"}, number},
           {"depth multiplier", {"depth_multiplier"}, number},
           {"activation", {"activation"}, activation_text}},
          config, settings);
    const Json *rows = find(config, {"nb_row"}), *columns = find(config, {"nb_col"});
    if (rows != nullptr && columns != nullptr) settings["kernel size"] = number(*rows) + "x" + number(*columns);
  } else if (kind == "Dense" || kind == "Activation") {
    apply({{"activation", {"activation"}, activation_text}}, config, settings);
  } else if (kind == "ReLU") {
    settings["activation"] = relu_text(config);
  } else if (kind == "BatchNormalization") {
    apply({{"epsilon", {"epsilon"}, number}, {"axis", {"axis"}, axis_text}, {"mode", {"mode"}, number}}, config,
          settings);
  } else if (kind == "MaxPooling2D" || kind == "AveragePooling2D") {
    apply({{"pool size", {"pool_size"}, pair_text},
           {"strides", {"strides", "pool_size"}, pair_text},
           {"padding", {"padding", "border_mode"}, number}},
          config, settings);
  } else if (kind == "ZeroPadding2D") {
    apply({{"padding", {"padding"}, padding_text}}, config, settings);
  } else if (kind == "Concatenate") {
    apply({{"axis", {"axis", "concat_axis"}, axis_text}}, config, settings);
  }
  return settings;
}

bool is_identity(std::string_view kind) {
  static constexpr std::array<std::string_view, 9> kNames{
      "Dropout", "SpatialDropout2D",       "GaussianDropout", "GaussianNoise", "AlphaDropout",
      "Reshape", "ActivityRegularization", "Flatten",         "Identity"};
  return std::find(kNames.begin(), kNames.end(), kind) != kNames.end() || kind.starts_with("Random");
}

}  // namespace gpueval
