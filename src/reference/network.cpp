// SPDX-License-Identifier: Apache-2.0
#include "reference/network.h"

#include "gpueval/error.h"

namespace gpueval::reference {
namespace {

QuantTensor concat(const Graph& graph, const Node& node, const std::vector<QuantTensor>& tensors) {
  QuantTensor dst(node.type.dtype, node.shape);
  int offset = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const QuantTensor& part = tensors[static_cast<std::size_t>(node.inputs[i])];
    const bool same = node.integer->m[i] == 1.0f && part.dtype == dst.dtype;
    const QuantTensor src =
        same ? part : requantize(part, node.integer->m[i], node.integer->lo, node.integer->hi, dst.dtype);
    const int channels = graph.node(node.inputs[i]).shape.c;
    for (std::int64_t pixel = 0; pixel < node.shape.pixels(); ++pixel) {
      for (int c = 0; c < channels; ++c) dst.set(pixel * node.shape.c + offset + c, src.at(pixel * channels + c));
    }
    offset += channels;
  }
  return dst;
}

QuantTensor zero_pad(const Node& node, const QuantTensor& src) {
  const Padding& pad = std::get<ZeroPad>(node.op).pad;
  QuantTensor dst(src.dtype, node.shape);
  for (int h = 0; h < src.shape.h; ++h) {
    for (int w = 0; w < src.shape.w; ++w) {
      for (int c = 0; c < src.shape.c; ++c) {
        dst.set((std::int64_t{h + pad.top} * node.shape.w + w + pad.left) * node.shape.c + c, src.at(0, h, w, c));
      }
    }
  }
  return dst;
}

class Runner {
 public:
  Runner(const Graph& graph, NetworkResult& result) : graph_(graph), result_(result) {}

  void run(int index) {
    const Node& node = graph_.node(index);
    const auto i = static_cast<std::size_t>(index);
    if (node.type.dtype != DType::kF32) {
      result_.tensors[i] = integer(index);
      return;
    }
    const bool reads_float = type_of(node.inputs[0]).dtype == DType::kF32;
    if (reads_float) {
      std::vector<const FloatTensor*> inputs;
      for (const int input : node.inputs) inputs.push_back(&result_.floats[static_cast<std::size_t>(input)]);
      result_.floats[i] = float_node(graph_, index, inputs);
    } else if (std::holds_alternative<Dequantize>(node.op)) {
      result_.floats[i] = dequantize(source(node), type_of(node.inputs[0]).scale);
    } else {
      result_.floats[i] = {node.shape, logits(index)};
    }
  }

 private:
  const TensorType& type_of(int node) const { return graph_.node(node).type; }
  const QuantTensor& source(const Node& node, std::size_t i = 0) const {
    return result_.tensors[static_cast<std::size_t>(node.inputs[i])];
  }

  ConvParams conv_params(int index) const {
    const Node& node = graph_.node(index);
    const IntegerOp& op = *node.integer;
    ConvParams params{
        .desc = *conv_desc(graph_, index), .weights = *op.weights, .m = op.m, .b = op.b, .lo = op.lo, .hi = op.hi};
    if (node.inputs.size() > 1) {
      params.residual = &source(node, 1);
      params.residual_scale = op.residual_scale;
    }
    return params;
  }

  // A dense layer sees its source as one pixel of h * w * c channels.
  QuantTensor conv_source(int index) const {
    QuantTensor src = source(graph_.node(index));
    const ConvDesc desc = *conv_desc(graph_, index);
    src.shape = {1, desc.h, desc.w, desc.c};
    return src;
  }

  std::vector<float> logits(int index) const {
    const Node& node = graph_.node(index);
    if (conv_desc(graph_, index)) return conv_f32(conv_source(index), conv_params(index));
    return global_avg_pool_f32(source(node), node.integer->m[0]);
  }

  QuantTensor integer(int index) const {
    const Node& node = graph_.node(index);
    const DType dst = node.type.dtype;
    if (std::holds_alternative<ZeroPad>(node.op)) return zero_pad(node, source(node));
    const IntegerOp& op = *node.integer;
    if (conv_desc(graph_, index)) return conv(conv_source(index), conv_params(index), dst);
    if (std::holds_alternative<Quantize>(node.op)) {
      return quantize_channels(result_.floats[static_cast<std::size_t>(node.inputs[0])], node.type.scale, dst);
    }
    if (std::holds_alternative<Concat>(node.op)) return concat(graph_, node, result_.tensors);
    if (const auto* pool = std::get_if<MaxPool>(&node.op)) return max_pool(source(node), pool->window, op.m[0], dst);
    if (const auto* pool = std::get_if<AvgPool>(&node.op)) return avg_pool(source(node), pool->window, op.m, dst);
    if (std::holds_alternative<GlobalAvgPool>(node.op)) return global_avg_pool(source(node), op.m[0], dst);
    if (std::holds_alternative<Add>(node.op)) {
      return add(source(node), op.m[0], source(node, 1), op.m[1], op.lo, op.hi, dst);
    }
    if (std::holds_alternative<Relu>(node.op)) return requantize(source(node), op.m[0], op.lo, op.hi, dst);
    fail("{}: no reference for layer '{}' ({})", graph_.name, node.name, op_name(node.op));
  }

  const Graph& graph_;
  NetworkResult& result_;
};

}  // namespace

void run_node(const Graph& graph, int node, NetworkResult& result) { Runner(graph, result).run(node); }

NetworkResult run_network(const Graph& graph, std::span<const float> image) {
  NetworkResult result;
  result.tensors.resize(graph.nodes.size());
  result.floats.resize(graph.nodes.size());
  result.floats[0] = {graph.input_node().shape, {image.begin(), image.end()}};
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) run_node(graph, static_cast<int>(i), result);
  result.logits = result.floats[static_cast<std::size_t>(graph.output)].values;
  return result;
}

}  // namespace gpueval::reference
