// SPDX-License-Identifier: Apache-2.0
// The rows of ops.inc, and which form of its operation a node of a lowered graph takes.
#pragma once

#include <span>
#include <utility>
#include <variant>

#include "gpueval/error.h"
#include "gpueval/graph.h"

namespace gpueval {

enum class OpForm { kNone, kFloat, kInt8, kInt8Logits, kConvert };
enum class OpSign { kAny, kKeeps, kOwn };
enum class OpScale { kOwn, kSource, kCopy };

struct OpRow {
  const char *name, *keras_class;
  OpForm form;
  OpSign sign;
  OpScale scale;
};
template <typename T>
inline constexpr OpRow kOpRow = T::has_no_row_in_ops_inc;
#define GPUEVAL_OP(TYPE, NAME, KERAS, FORM, SIGN, SCALE, ...) \
  template <>                                                 \
  inline constexpr OpRow kOpRow<TYPE> = {NAME, KERAS, OpForm::FORM, OpSign::SIGN, OpScale::SCALE};
#include "gpueval/ops.inc"

std::span<const OpRow> op_rows();
const OpRow& op_row(const Op& op);

constexpr bool has_float_form(OpForm form) {
  return form == OpForm::kFloat || form == OpForm::kInt8 || form == OpForm::kInt8Logits;
}
constexpr bool has_int8_form(OpForm form) {
  return form == OpForm::kInt8 || form == OpForm::kInt8Logits || form == OpForm::kConvert;
}

// Shape of the node's tensor (n = 1) from those of its sources and of its weights; Error where they do not fit. The
// input's is its own.
#define GPUEVAL_OP(TYPE, ...) Shape output_shape(const TYPE& op, const Node& self, std::span<const Shape> src);
#include "gpueval/ops.inc"
Shape output_shape(const Graph& graph, const Node& self);

// Whether the result cannot be negative, of sources that cannot where src says so; of rows whose sign is kOwn.
bool non_negative(const Input& op, std::span<const bool> src);
bool non_negative(const Activate& op, std::span<const bool> src);
bool non_negative(const Binary& op, std::span<const bool> src);

constexpr bool is_integer(DType type) { return type == DType::kS8 || type == DType::kU8; }

// A node takes the int8 form where its tensor, or the source's (logits leave as float32), is an integer one.
inline bool takes_int8_form(const Graph& graph, const Node& node) {
  return is_integer(node.type.dtype) || is_integer(graph.node(node.inputs[0]).type.dtype);
}

// The `reference` scheme's convolutions: float32 tensors, integer products.
inline bool is_dynamic(const Node& node) { return node.integer && node.integer->dynamic; }

// Calls int8_form(op) or float_form(op), with the node's operation in its own type, whichever form the node takes.
template <typename Result, typename FloatForm, typename Int8Form>
Result with_form(const Graph& graph, const Node& node, FloatForm&& float_form, Int8Form&& int8_form) {
  const bool int8 = takes_int8_form(graph, node);
  return std::visit(
      [&]<typename T>(const T& op) -> Result {
        if constexpr (has_int8_form(kOpRow<T>.form)) {
          if (int8) return int8_form(op);
        }
        if constexpr (has_float_form(kOpRow<T>.form)) {
          if (!int8) return float_form(op);
        }
        fail("{}: layer '{}' ({}) has no {} form", graph.name, node.name, kOpRow<T>.name, int8 ? "int8" : "float32");
      },
      node.op);
}

}  // namespace gpueval
