// SPDX-License-Identifier: Apache-2.0
#include "quant/integer_form.h"

namespace gpueval {

// real = gamma * (s_src * q) + beta: in steps of the destination, m = gamma * s_src / s_dst, b = beta / s_dst.
std::optional<IntegerOp> integer_form(const Affine&, const IntegerContext& context) {
  const Node& node = context.node();
  const std::vector<float>&gamma = *node.find(Role::kGamma)->array.data, &beta = *node.find(Role::kBeta)->array.data;
  IntegerOp form = clamped_form(node);
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    form.m.push_back(static_cast<float>(gamma[c] * scale_of(context.source(), c) / scale_of(node, c)));
    form.b.push_back(static_cast<float>(beta[c] / scale_of(node, c)));
  }
  return form;
}

}  // namespace gpueval
