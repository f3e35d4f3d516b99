// SPDX-License-Identifier: Apache-2.0
// Operations that keep the shape.
#include "graph/op_row.h"

namespace gpueval {

Shape output_shape(const Input&, const Node& self, std::span<const Shape>) { return self.shape; }
bool non_negative(const Input& op, std::span<const bool>) { return op.non_negative; }
Shape output_shape(const BatchNorm&, const Node&, std::span<const Shape> src) { return src[0]; }
Shape output_shape(const Relu&, const Node&, std::span<const Shape> src) { return src[0]; }
Shape output_shape(const Quantize&, const Node&, std::span<const Shape> src) { return src[0]; }
Shape output_shape(const Dequantize&, const Node&, std::span<const Shape> src) { return src[0]; }

Shape output_shape(const Add&, const Node& self, std::span<const Shape> src) {
  GPUEVAL_CHECK(src.size() == 2 && src[0] == src[1], "'{}' adds two tensors of one shape", self.name);
  return src[0];
}

}  // namespace gpueval
