// SPDX-License-Identifier: Apache-2.0
#include "keras/tables.h"

#include <algorithm>
#include <array>

#include "gpueval/keras.h"
#include "io/weights/layer_names.h"

namespace gpueval::keras {

namespace layers {
#define GPUEVAL_KERAS_LAYER(CLASS, IMPORTER, INT8) Value IMPORTER(LayerCall&);
#include "keras/layers.inc"
}  // namespace layers

namespace functions {
#define GPUEVAL_KERAS_FUNCTION(NAME, IMPORTER, INT8) std::vector<Value> IMPORTER(LayerCall&);
#include "keras/functions.inc"
}  // namespace functions

std::span<const LayerRow> layer_rows() {
  static constexpr LayerRow kRows[] = {
#define GPUEVAL_KERAS_LAYER(CLASS, IMPORTER, INT8) {#CLASS, layers::IMPORTER, Int8::INT8},
#include "keras/layers.inc"
  };
  return kRows;
}

std::span<const FunctionRow> function_rows() {
  static constexpr FunctionRow kRows[] = {
#define GPUEVAL_KERAS_FUNCTION(NAME, IMPORTER, INT8) {#NAME, functions::IMPORTER, Int8::INT8},
#include "keras/functions.inc"
  };
  return kRows;
}

namespace {

template <typename Row>
const Row* find_row(std::span<const Row> rows, std::string_view name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [name](const Row& row) { return row.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

// "math.multiply" -> "multiply"
std::string last_word(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

// TensorFlow 2.0 to 2.3: a node of its graph. Two of its names differ from those of the functions.
std::string graph_function(const Json& config) {
  const auto node = config.find("node_def");
  if (node == config.end() || !node->is_object()) return "unknown";
  std::string name = node->value("op", "unknown");
  if (name == "AddV2" || name == "BiasAdd") return "add";
  if (name == "ConcatV2") return "concat";
  return snake_case(name);
}

}  // namespace

const LayerRow* find_layer(std::string_view kind) { return find_row(layer_rows(), kind); }
const FunctionRow* find_function(std::string_view name) { return find_row(function_rows(), name); }

std::string function_name(const std::string& kind, const std::string& module, const Json& config) {
  if (kind == "TFOpLambda" || kind == "SlicingOpLambda") {
    const auto function = config.find("function");
    return function != config.end() && function->is_string() ? last_word(function->get<std::string>()) : "unknown";
  }
  if (kind == "TensorFlowOpLayer") return graph_function(config);
  if (module.find(".ops.") != std::string::npos || module.ends_with(".ops")) return snake_case(kind);
  // ".h5" files do not say the module; a layer has these settings.
  const bool is_layer = !config.is_object() || config.contains("trainable") || config.contains("dtype");
  if (!is_layer && module.empty() && find_function(snake_case(kind)) != nullptr) return snake_case(kind);
  return "";
}

}  // namespace gpueval::keras

namespace gpueval {

std::vector<KerasSupport> keras_support() {
  constexpr std::array<const char*, 3> kNames{"int8", "float32", "-"};
  const auto int8 = [&](keras::Int8 value) { return kNames[static_cast<std::size_t>(value)]; };
  std::vector<KerasSupport> rows;
  for (const auto& row : keras::layer_rows()) rows.push_back({std::string(row.name), "layer", int8(row.int8)});
  for (const auto& row : keras::function_rows()) rows.push_back({std::string(row.name), "function", int8(row.int8)});
  return rows;
}

}  // namespace gpueval
