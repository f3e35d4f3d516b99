// SPDX-License-Identifier: Apache-2.0
#include "quant/integer_form.h"

namespace gpueval {

std::optional<IntegerOp> integer_form(const MaxPool&, const IntegerContext& context) {
  IntegerOp form = clamped_form(context.node());
  form.input_factors = {static_cast<float>(scale_of(context.source()) / scale_of(context.node()))};
  return form;
}

std::optional<IntegerOp> integer_form(const AvgPool& op, const IntegerContext& context) {
  IntegerOp form = clamped_form(context.node());
  const int largest = op.window.kernel_h * op.window.kernel_w;
  for (int count = 1; count <= largest; ++count) {
    form.window_factors.push_back(static_cast<float>(scale_of(context.source()) / (scale_of(context.node()) * count)));
  }
  return form;
}

std::optional<IntegerOp> integer_form(const GlobalAvgPool&, const IntegerContext& context) {
  IntegerOp form = clamped_form(context.node());
  const auto pixels = static_cast<double>(context.source().shape.pixels());
  form.mean_factor = static_cast<float>(scale_of(context.source()) / (scale_of(context.node()) * pixels));
  return form;
}

}  // namespace gpueval
