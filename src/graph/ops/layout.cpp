// SPDX-License-Identifier: Apache-2.0
// Operations that move elements and compute nothing.
#include "graph/op_row.h"

namespace gpueval {

Shape output_shape(const Concat&, const Node& self, std::span<const Shape> src) {
  GPUEVAL_CHECK(!src.empty(), "'{}' joins nothing", self.name);
  Shape out = src[0];
  out.c = 0;
  for (const Shape& in : src) {
    GPUEVAL_CHECK(in.h == out.h && in.w == out.w, "'{}' joins {} and {}", self.name, to_string(in), to_string(out));
    out.c += in.c;
  }
  return out;
}

Shape output_shape(const ZeroPad& op, const Node&, std::span<const Shape> src) {
  return {1, src[0].h + op.pad.top + op.pad.bottom, src[0].w + op.pad.left + op.pad.right, src[0].c};
}

Shape output_shape(const Flatten&, const Node&, std::span<const Shape> src) {
  return {1, 1, 1, static_cast<int>(src[0].elements())};
}

}  // namespace gpueval
