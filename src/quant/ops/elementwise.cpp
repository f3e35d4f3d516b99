// SPDX-License-Identifier: Apache-2.0
// Operations that only bring each input to the output's scale, and those that need not even that.
#include "quant/integer_form.h"

namespace gpueval {
namespace {

IntegerOp rescaling_form(const IntegerContext& context) {
  IntegerOp form = clamped_form(context.node());
  for (std::size_t i = 0; i < context.node().inputs.size(); ++i) {
    form.input_factors.push_back(static_cast<float>(scale_of(context.source(i)) / scale_of(context.node())));
  }
  return form;
}

}  // namespace

std::optional<IntegerOp> integer_form(const Relu&, const IntegerContext& context) { return rescaling_form(context); }
std::optional<IntegerOp> integer_form(const Add&, const IntegerContext& context) { return rescaling_form(context); }
std::optional<IntegerOp> integer_form(const Concat&, const IntegerContext& context) { return rescaling_form(context); }

// Divides by the scale itself.
std::optional<IntegerOp> integer_form(const Quantize&, const IntegerContext& context) {
  IntegerOp form = clamped_form(context.node());
  form.input_factors = {1.0f};
  return form;
}

std::optional<IntegerOp> integer_form(const Dequantize&, const IntegerContext&) { return std::nullopt; }

}  // namespace gpueval
