// SPDX-License-Identifier: Apache-2.0
// Convolutions and dense layers: shapes, and what they compute as a ConvDesc.
#include "graph/op_row.h"

namespace gpueval {
namespace {

// The last extent of a layer's weights; of a depthwise kernel it is 1.
int last_extent(const Param& param) { return static_cast<int>(param.array.shape.back()); }

Shape windowed(const Shape& src, const Window& window, int channels) {
  return {1, window.out_h(src.h), window.out_w(src.w), channels};
}

}  // namespace

Shape output_shape(const Conv2D& op, const Node& self, std::span<const Shape> src) {
  return windowed(src[0], op.window, last_extent(*self.find(Role::kKernel)));
}

Shape output_shape(const DepthwiseConv2D& op, const Node&, std::span<const Shape> src) {
  return windowed(src[0], op.window, src[0].c);
}

Shape output_shape(const SeparableConv2D& op, const Node& self, std::span<const Shape> src) {
  return windowed(src[0], op.window, last_extent(*self.find(Role::kPointwiseKernel)));
}

Shape output_shape(const Dense&, const Node& self, std::span<const Shape>) {
  return {1, 1, 1, last_extent(*self.find(Role::kKernel))};
}

std::optional<ConvDesc> conv_desc(const Graph& graph, int node_index, int n) {
  const Node& node = graph.node(node_index);
  if (node.inputs.empty()) return std::nullopt;
  const Shape& src = graph.node(node.inputs[0]).shape;
  ConvDesc desc{.n = n, .h = src.h, .w = src.w, .c = src.c, .k = node.shape.c, .window = {}};
  if (const auto* conv = std::get_if<Conv2D>(&node.op)) {
    desc.window = conv->window;
    desc.groups = conv->groups;
  } else if (const auto* depthwise = std::get_if<DepthwiseConv2D>(&node.op)) {
    desc.window = depthwise->window;
    desc.depthwise = true;
  } else if (std::holds_alternative<Dense>(node.op)) {
    desc.c = src.h * src.w * src.c;
    desc.h = desc.w = 1;
  } else {
    return std::nullopt;
  }
  return desc;
}

std::int64_t Graph::multiply_adds() const {
  std::int64_t count = 0;
  const auto readers = consumers();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (const auto desc = conv_desc(*this, static_cast<int>(i))) {
      const auto* after = readers[i].size() == 1 ? std::get_if<BatchToSpace>(&node(readers[i][0]).op) : nullptr;
      const std::int64_t pixels = nodes[i].shape.pixels();  // dilated: with rows between its pictures
      count += desc->multiply_adds() / pixels * (after != nullptr ? std::int64_t{after->h} * after->w : pixels);
    } else if (const auto* separable = std::get_if<SeparableConv2D>(&nodes[i].op)) {
      const Shape& out = nodes[i].shape;
      const Shape& in = node(nodes[i].inputs[0]).shape;
      const std::int64_t taps = std::int64_t{separable->window.kernel_h} * separable->window.kernel_w;
      count += out.pixels() * in.c * (taps + out.c);
    }
  }
  return count;
}

}  // namespace gpueval
