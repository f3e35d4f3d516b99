// SPDX-License-Identifier: Apache-2.0
// Operations that look at all channels of a pixel, or at more.
#include "graph/op_row.h"

namespace gpueval {

Shape output_shape(const Softmax&, const Node&, std::span<const Shape> src) { return src[0]; }

Shape output_shape(const Normalize& op, const Node& self, std::span<const Shape> src) {
  GPUEVAL_CHECK(op.groups >= 1 && src[0].c % op.groups == 0, "'{}': {} channels in {} groups", self.name, src[0].c,
                op.groups);
  return src[0];
}

Shape output_shape(const Reduce& op, const Node&, std::span<const Shape> src) {
  return {1, op.h ? 1 : src[0].h, op.w ? 1 : src[0].w, op.c ? 1 : src[0].c};
}

}  // namespace gpueval
