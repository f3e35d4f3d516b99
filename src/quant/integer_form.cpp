// SPDX-License-Identifier: Apache-2.0
#include "quant/integer_form.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/passes.h"
#include "quant/lowering.h"

namespace gpueval {
namespace {

std::vector<float> factors(const IntegerOp& op) {
  std::vector<float> all = op.m;
  all.insert(all.end(), op.input_factors.begin(), op.input_factors.end());
  all.insert(all.end(), op.window_factors.begin(), op.window_factors.end());
  if (op.mean_factor != 0) all.push_back(op.mean_factor);
  return all;
}

// A batch norm whose gammas are 0, as those behind residual branches are when training begins.
bool is_constant(const Node& node) {
  const Param* gamma = node.find(Role::kGamma);
  return gamma != nullptr &&
         std::all_of(gamma->array.data->begin(), gamma->array.data->end(), [](float g) { return g == 0; });
}

// Finite weights and ranges may still have a quotient beyond float32, or below it: a layer that is silent throughout.
void check_finite(const IntegerContext& context, const IntegerOp& op) {
  if (!op.table.empty()) return;  // bytes
  const auto finite = [](float value) { return std::isfinite(value); };
  const auto heard = [](float m) {
    return std::abs(m) >= std::numeric_limits<float>::min();
  };  // a channel may be silent
  const std::vector<float> all = factors(op);
  if (std::all_of(all.begin(), all.end(), finite) && std::all_of(op.b.begin(), op.b.end(), finite) &&
      finite(op.residual_scale) && (std::any_of(all.begin(), all.end(), heard) || is_constant(context.node()))) {
    return;
  }
  fail(
      "{}: the scales of layer '{}' are beyond float32 in int8; its weights or its range are damaged, or its "
      "training went wrong",
      context.graph.name, context.node().name);
}

}  // namespace

double scale_of(const Node& node, std::size_t k) {
  const std::vector<float>& scales = node.type.scale;
  return node.type.dtype == DType::kF32 ? 1.0 : double{scales[scales.size() > 1 ? k : 0]};
}

IntegerOp clamped_form(const Node& node) {
  const Activation* act = fused_activation(node.op);
  // Channel scales are at most 6 / 255 behind ReLU6, so the cut is the same for all.
  const Clamp clamp =
      clamp_of(node.type.dtype, act != nullptr ? *act : Activation::kNone, static_cast<float>(scale_of(node)));
  IntegerOp op;
  op.lo = clamp.lo;
  op.hi = clamp.hi;
  return op;
}

void set_biases(const Graph& graph, int node, std::span<const float> bias, IntegerOp& op) {
  const Node& own = graph.node(node);
  const std::vector<double> shares = zero_point_shares(graph, node, op);
  op.b.resize(op.m.size());
  for (std::size_t k = 0; k < op.b.size(); ++k) {
    op.b[k] = static_cast<float>(bias[k] / scale_of(own, k) - shares[k] + own.type.zero_point);
  }
}

std::optional<IntegerOp> integer_form(const IntegerContext& context) {
  std::optional<IntegerOp> form = std::visit(
      [&]<typename T>(const T& op) -> std::optional<IntegerOp> {
        if constexpr (has_int8_form(kOpRow<T>.form)) {
          return integer_form(op, context);
        } else {
          fail("{}: layer '{}' ({}) has no int8 form", context.graph.name, context.node().name, kOpRow<T>.name);
        }
      },
      context.node().op);
  if (form) check_finite(context, *form);
  return form;
}

}  // namespace gpueval
