// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "reference/op_reference.h"
#include "reference/taps.h"

namespace gpueval::reference {
namespace {

FloatTensor pool(const FloatCall& call, const Window& window, bool largest) {
  const Shape& shape = call.node().shape;
  const FloatTensor& src = call.source();
  FloatTensor dst{shape, {}};
  for (int p = 0; p < shape.h; ++p) {
    for (int q = 0; q < shape.w; ++q) {
      for (int c = 0; c < shape.c; ++c) {
        double sum = 0, most = -INFINITY;
        int count = 0;
        for_each_tap(window, src.shape, p, q, [&](int h, int w, int) {
          sum += src.at(h, w, c);
          most = std::max<double>(most, src.at(h, w, c));
          ++count;
        });
        dst.values.push_back(static_cast<float>(largest ? most : sum / count));
      }
    }
  }
  return dst;
}

}  // namespace

FloatTensor float_reference(const MaxPool& op, const FloatCall& call) { return pool(call, op.window, true); }
FloatTensor float_reference(const AvgPool& op, const FloatCall& call) { return pool(call, op.window, false); }
FloatTensor float_reference(const GlobalAvgPool&, const FloatCall& call) {
  return pool(call, {.kernel_h = call.source().shape.h, .kernel_w = call.source().shape.w}, false);
}

AnyTensor int8_reference(const MaxPool& op, const Int8Call& call) {
  return max_pool(call.source(), op.window, call.form().input_factors[0], call.dtype());
}
AnyTensor int8_reference(const AvgPool& op, const Int8Call& call) {
  return avg_pool(call.source(), op.window, call.form().window_factors, call.dtype(), call.node().type.zero_point);
}
AnyTensor int8_reference(const GlobalAvgPool&, const Int8Call& call) {
  const float m = call.form().mean_factor;
  if (call.dtype() == DType::kF32) return FloatTensor{call.node().shape, global_avg_pool_f32(call.source(), m)};
  return global_avg_pool(call.source(), m, call.dtype(), call.node().type.zero_point);
}

}  // namespace gpueval::reference
