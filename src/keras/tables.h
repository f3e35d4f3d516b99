// SPDX-License-Identifier: Apache-2.0
// Which of Keras's layers and functions there are: layers.inc and functions.inc, one line each.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "keras/layer_call.h"

namespace gpueval::keras {

using ImportLayer = Value (*)(LayerCall&);
// Of several results (a split) all; else one.
using ImportFunction = std::vector<Value> (*)(LayerCall&);

// What a network in int8 does with it.
enum class Int8 {
  kYes,     // integers
  kFloat,   // between a dequantize and a quantize
  kNothing  // nothing is computed
};

struct LayerRow {
  std::string_view name;  // "Conv2D"
  ImportLayer import;
  Int8 int8;
};
struct FunctionRow {
  std::string_view name;  // "multiply": the last word of TensorFlow's name, Keras 3's class in lower case
  ImportFunction import;
  Int8 int8;
};

std::span<const LayerRow> layer_rows();
std::span<const FunctionRow> function_rows();
const LayerRow* find_layer(std::string_view kind);
const FunctionRow* find_function(std::string_view name);

// The function that a layer of this class calls, in functions.inc's words: of "TFOpLambda" its own ("math.multiply" ->
// "multiply"), of an operation of Keras 3 its class; empty for any other layer.
std::string function_name(const std::string& kind, const std::string& module, const Json& config);

}  // namespace gpueval::keras
