// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "quant/integer_form.h"

namespace gpueval {
namespace {

// The number of a byte; -128, which no s8 tensor has, counts as -127.
int value_of(int byte, DType type) { return type == DType::kU8 || byte < 128 ? byte : std::max(byte - 256, -127); }

}  // namespace

// What the function is of each of the source's 256 bytes, in double. Where it is no number (a root of a negative one):
// 0.
std::optional<IntegerOp> integer_form(const Activate& op, const IntegerContext& context) {
  const Node& node = context.node();
  IntegerOp form = clamped_form(node);
  for (int byte = 0; byte < 256; ++byte) {
    const TensorType& type = context.source().type;
    const double x = scale_of(context.source()) * (value_of(byte, type.dtype) - type.zero_point);
    const double v = apply(op.function, x) / scale_of(node) + node.type.zero_point;
    const double q =
        std::isnan(v) ? node.type.zero_point : std::nearbyint(std::clamp(v, double{form.lo}, double{form.hi}));
    form.table.push_back(static_cast<std::uint8_t>(static_cast<int>(q)));
  }
  return form;
}

// m = s_src / s_dst for numbers that are not negative, b = alpha * s_src / s_dst for those that are.
std::optional<IntegerOp> integer_form(const PRelu&, const IntegerContext& context) {
  const double factor = scale_of(context.source()) / scale_of(context.node());
  IntegerOp form = clamped_form(context.node());
  for (const float alpha : *context.node().find(Role::kAlpha)->array.data) {
    form.m.push_back(static_cast<float>(factor));
    form.b.push_back(static_cast<float>(alpha * factor));
  }
  return form;
}

}  // namespace gpueval
