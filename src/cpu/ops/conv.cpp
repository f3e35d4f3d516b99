// SPDX-License-Identifier: Apache-2.0
// Which of our kernels, or oneDNN's, runs a convolution or dense layer.
#include <utility>

#include "cpu/conv_steps.h"
#include "cpu/step.h"
#include "graph/op_row.h"

namespace gpueval::cpu {
namespace {

std::unique_ptr<Step> float_conv(const StepContext& context) {
  if (is_dynamic(context.self())) return make_dynamic_conv_step(context);
  auto own = make_own_float_conv(context);
  return own != nullptr ? std::move(own) : make_onednn_conv(context);
}

}  // namespace

std::unique_ptr<Step> make_float_step(const Conv2D&, const StepContext& context) { return float_conv(context); }
std::unique_ptr<Step> make_float_step(const DepthwiseConv2D&, const StepContext& context) {
  return float_conv(context);
}
std::unique_ptr<Step> make_float_step(const Dense&, const StepContext& context) { return float_conv(context); }

std::unique_ptr<Step> make_int8_step(const Conv2D&, const StepContext& context) { return make_int8_conv_step(context); }
std::unique_ptr<Step> make_int8_step(const DepthwiseConv2D&, const StepContext& context) {
  return make_int8_conv_step(context);
}
std::unique_ptr<Step> make_int8_step(const Dense&, const StepContext& context) { return make_int8_conv_step(context); }

}  // namespace gpueval::cpu
