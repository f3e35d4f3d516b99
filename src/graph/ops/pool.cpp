// SPDX-License-Identifier: Apache-2.0
#include "graph/op_row.h"

namespace gpueval {
namespace {

Shape pooled(const Shape& src, const Window& window) { return {1, window.out_h(src.h), window.out_w(src.w), src.c}; }

}  // namespace

Shape output_shape(const MaxPool& op, const Node&, std::span<const Shape> src) { return pooled(src[0], op.window); }

Shape output_shape(const AvgPool& op, const Node&, std::span<const Shape> src) { return pooled(src[0], op.window); }

Shape output_shape(const GlobalAvgPool&, const Node&, std::span<const Shape> src) { return {1, 1, 1, src[0].c}; }

}  // namespace gpueval
