// SPDX-License-Identifier: Apache-2.0
#include "quant/integer_form.h"

namespace gpueval {

std::optional<IntegerOp> integer_form(const Binary& op, const IntegerContext& context) {
  const double first = scale_of(context.source(0)), second = scale_of(context.source(1));
  const double own = scale_of(context.node());
  IntegerOp form = clamped_form(context.node());
  if (op.kind == BinaryKind::kMultiply) {
    form.m = {static_cast<float>(first * second / own)};
  } else {
    form.input_factors = {static_cast<float>(first / own), static_cast<float>(second / own)};
  }
  return form;
}

}  // namespace gpueval
