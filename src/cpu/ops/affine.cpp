// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/threads.h"
#include "cpu/float_ops.h"
#include "cpu/int8/affine.h"
#include "cpu/step.h"

namespace gpueval::cpu {
namespace {

// Multiplied, rounded, added, rounded: as batch_norm_f32 and the device's, so that all backends have the same bits.
void affine_f32(const TensorView& src, const std::vector<float>& gamma, const std::vector<float>& beta, Activation act,
                const TensorView& dst) {
  const Bounds bounds = bounds_of(act);
  for_each_pixel(dst.shape.pixels(), [&](std::int64_t pixel) {
    const float* x = row(src, pixel);
    float* out = row_out(dst, pixel);
    for (std::size_t c = 0; c < gamma.size(); ++c) {
      out[c] = std::min(std::max(x[c] * gamma[c] + beta[c], bounds.lo), bounds.hi);
    }
  });
}

}  // namespace

std::unique_ptr<Step> make_float_step(const Affine& op, const StepContext& context) {
  const Node& node = context.self();
  return simple_step("affine_f32", [act = op.act, gamma = node.find(Role::kGamma)->array.data,
                                    beta = node.find(Role::kBeta)->array.data, src = node.inputs[0],
                                    self = context.node](const Tensors& tensors, int n) {
    affine_f32(tensors.view(src, n), *gamma, *beta, act, tensors.view(self, n));
  });
}

std::unique_ptr<Step> make_int8_step(const Affine&, const StepContext& context) {
  return simple_step(int8_name("affine"), [&form = context.form(), src = context.self().inputs[0], self = context.node](
                                              const Tensors& tensors, int n) {
    affine(tensors.quant_view(src, n), form.m, form.b, form.lo, form.hi, tensors.quant_view(self, n));
  });
}

}  // namespace gpueval::cpu
