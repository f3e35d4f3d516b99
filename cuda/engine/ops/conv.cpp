// SPDX-License-Identifier: Apache-2.0
// Convolutions and dense layers: float kernels or libraries, or the integer kernels of cuda/conv/.
#include "cuda/engine/conv_steps.h"
#include "graph/op_row.h"

namespace gpueval::cuda {
namespace {

std::unique_ptr<Step> float_conv(const StepContext& context) {
  return is_dynamic(context.self()) ? make_dynamic_conv(context) : make_float_conv_step(context);
}

}  // namespace

std::unique_ptr<Step> make_float_step(const Conv2D&, const StepContext& context) { return float_conv(context); }
std::unique_ptr<Step> make_float_step(const DepthwiseConv2D&, const StepContext& context) {
  return float_conv(context);
}
std::unique_ptr<Step> make_float_step(const Dense&, const StepContext& context) { return float_conv(context); }

std::unique_ptr<Step> make_int8_step(const Conv2D&, const StepContext& context) { return make_int8_conv(context); }
std::unique_ptr<Step> make_int8_step(const DepthwiseConv2D&, const StepContext& context) {
  return make_int8_conv(context);
}
std::unique_ptr<Step> make_int8_step(const Dense&, const StepContext& context) { return make_int8_conv(context); }

}  // namespace gpueval::cuda
