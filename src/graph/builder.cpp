// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <utility>

#include "gpueval/error.h"
#include "gpueval/graph.h"
#include "graph/dilation.h"
#include "graph/op_row.h"

namespace gpueval {
namespace {

Window make_window(const Shape& src, int kernel_h, int kernel_w, int stride, Pad pad) {
  Window window{.kernel_h = kernel_h, .kernel_w = kernel_w, .stride_h = stride, .stride_w = stride, .pad = {}};
  if (pad == Pad::kSame) {
    const SamePadding rows = same_padding(src.h, kernel_h, stride), columns = same_padding(src.w, kernel_w, stride);
    window.pad = {rows.before, rows.after, columns.before, columns.after};
  }
  return window;
}

Param param(Role role, std::vector<std::int64_t> shape) { return {role, {std::move(shape), nullptr}}; }

}  // namespace

GraphBuilder::GraphBuilder(std::string model_name) { graph_.name = std::move(model_name); }

int GraphBuilder::append(Node node) {
  GPUEVAL_CHECK(graph_.find(node.name) < 0, "{}: two layers are named '{}'", graph_.name, node.name);
  for (const int input : node.inputs) {
    GPUEVAL_CHECK(input >= 0 && input < std::ssize(graph_.nodes), "{}: '{}' reads the value {}", graph_.name, node.name,
                  input);
  }
  node.shape = output_shape(graph_, node);
  GPUEVAL_CHECK(node.shape.c > 0, "{}: layer '{}' has the shape {}", graph_.name, node.name, to_string(node.shape));
  if (node.shape.h < 1 || node.shape.w < 1) {
    const Shape& input = graph_.nodes.empty() ? node.shape : graph_.input_node().shape;
    fail_usage("{} takes no input of {}x{}: of so few pixels none is left in its layer '{}'", graph_.name, input.h,
               input.w, node.name);
  }
  graph_.nodes.push_back(std::move(node));
  return static_cast<int>(graph_.nodes.size()) - 1;
}

const Shape& GraphBuilder::shape(int value) const { return graph_.nodes.at(static_cast<std::size_t>(value)).shape; }

int GraphBuilder::input(int h, int w, int c) {
  GPUEVAL_CHECK(graph_.nodes.empty(), "{}: the input must come first", graph_.name);
  return append({.name = "input", .op = Input{}, .inputs = {}, .shape = {1, h, w, c}});
}

int GraphBuilder::conv2d(const std::string& name, int src, int filters, int kernel_h, int kernel_w,
                         ConvOptions options) {
  const Shape& in = shape(src);
  const Window window = make_window(in, kernel_h, kernel_w, options.stride, options.pad);
  Node node{.name = name, .op = Conv2D{.window = window, .groups = options.groups}, .inputs = {src}};
  node.params.push_back(param(Role::kKernel, {kernel_h, kernel_w, in.c / options.groups, filters}));
  if (options.bias) node.params.push_back(param(Role::kBias, {filters}));
  return options.dilation > 1 ? dilated(std::move(node), options.pad, options.dilation) : append(std::move(node));
}

// node: as if it were not dilated.
int GraphBuilder::dilated(Node node, Pad pad, int rate) {
  const Shape src = shape(node.inputs[0]);
  auto* conv = std::get_if<Conv2D>(&node.op);
  Window& window = conv != nullptr ? conv->window : std::get<DepthwiseConv2D>(node.op).window;
  const auto reach = [rate](int kernel) { return (kernel - 1) * rate + 1; };
  window.pad = make_window(src, reach(window.kernel_h), reach(window.kernel_w), 1, pad).pad;
  const Dilation parts = dilation(src.h, src.w, window, rate, rate);
  const std::string name = node.name;
  node.inputs = {space_to_batch(name + "/space_to_batch", node.inputs[0], parts.before)};
  window = parts.window;
  return batch_to_space(name + "/batch_to_space", append(std::move(node)), parts.after);
}

int GraphBuilder::depthwise_conv2d(const std::string& name, int src, int kernel, ConvOptions options) {
  const Shape& in = shape(src);
  const Window window = make_window(in, kernel, kernel, options.stride, options.pad);
  Node node{.name = name, .op = DepthwiseConv2D{window}, .inputs = {src}};
  node.params.push_back(param(Role::kDepthwiseKernel, {kernel, kernel, in.c, 1}));
  if (options.bias) node.params.push_back(param(Role::kBias, {in.c}));
  return options.dilation > 1 ? dilated(std::move(node), options.pad, options.dilation) : append(std::move(node));
}

int GraphBuilder::separable_conv2d(const std::string& name, int src, int filters, int kernel, ConvOptions options) {
  const Shape& in = shape(src);
  const Window window = make_window(in, kernel, kernel, options.stride, options.pad);
  Node node{.name = name, .op = SeparableConv2D{window}, .inputs = {src}};
  node.params.push_back(param(Role::kDepthwiseKernel, {kernel, kernel, in.c, 1}));
  node.params.push_back(param(Role::kPointwiseKernel, {1, 1, in.c, filters}));
  if (options.bias) node.params.push_back(param(Role::kBias, {filters}));
  return append(std::move(node));
}

int GraphBuilder::dense(const std::string& name, int src, int units) {
  Node node{.name = name, .op = Dense{}, .inputs = {src}};
  node.params.push_back(param(Role::kKernel, {shape(src).elements(), units}));
  node.params.push_back(param(Role::kBias, {units}));
  return append(std::move(node));
}

int GraphBuilder::batch_norm(const std::string& name, int src, float eps, bool gamma) {
  const int c = shape(src).c;
  Node node{.name = name, .op = BatchNorm{eps}, .inputs = {src}};
  if (gamma) node.params.push_back(param(Role::kGamma, {c}));
  for (const Role role : {Role::kBeta, Role::kMean, Role::kVariance}) node.params.push_back(param(role, {c}));
  return append(std::move(node));
}

int GraphBuilder::relu(const std::string& name, int src) {
  return append({.name = name, .op = Relu{Activation::kRelu}, .inputs = {src}});
}

int GraphBuilder::relu6(const std::string& name, int src) {
  return append({.name = name, .op = Relu{Activation::kRelu6}, .inputs = {src}});
}

int GraphBuilder::add(const std::string& name, std::vector<int> src) {
  return append({.name = name, .op = Add{}, .inputs = std::move(src)});
}

int GraphBuilder::concat(const std::string& name, std::vector<int> src, Axis axis) {
  return append({.name = name, .op = Concat{axis}, .inputs = std::move(src)});
}

int GraphBuilder::max_pool(const std::string& name, int src, int kernel, int stride, Pad pad) {
  const Window window = make_window(shape(src), kernel, kernel, stride, pad);
  return append({.name = name, .op = MaxPool{window}, .inputs = {src}});
}

int GraphBuilder::avg_pool(const std::string& name, int src, int kernel, int stride, Pad pad) {
  const Window window = make_window(shape(src), kernel, kernel, stride, pad);
  return append({.name = name, .op = AvgPool{window}, .inputs = {src}});
}

int GraphBuilder::global_avg_pool(const std::string& name, int src) {
  return append({.name = name, .op = GlobalAvgPool{}, .inputs = {src}});
}

int GraphBuilder::zero_pad(const std::string& name, int src, Padding pad) {
  return append({.name = name, .op = ZeroPad{pad}, .inputs = {src}});
}

int GraphBuilder::flatten(const std::string& name, int src) {
  return append({.name = name, .op = Flatten{}, .inputs = {src}});
}

int GraphBuilder::activate(const std::string& name, int src, Function function) {
  return append({.name = name, .op = Activate{function}, .inputs = {src}});
}

int GraphBuilder::prelu(const std::string& name, int src, bool per_channel) {
  const Shape& in = shape(src);
  Node node{.name = name, .op = PRelu{}, .inputs = {src}};
  node.params.push_back(param(Role::kAlpha, {per_channel ? 1 : in.h, per_channel ? 1 : in.w, in.c}));
  return append(std::move(node));
}

int GraphBuilder::binary(const std::string& name, BinaryKind kind, std::vector<int> src) {
  return append({.name = name, .op = Binary{kind}, .inputs = std::move(src)});
}

int GraphBuilder::softmax(const std::string& name, int src) {
  return append({.name = name, .op = Softmax{}, .inputs = {src}});
}

int GraphBuilder::normalize(const std::string& name, int src, Normalize settings, bool gamma, bool beta) {
  const int c = shape(src).c;
  Node node{.name = name, .op = settings, .inputs = {src}};
  if (gamma) node.params.push_back(param(Role::kGamma, {c}));
  if (beta) node.params.push_back(param(Role::kBeta, {c}));
  return append(std::move(node));
}

int GraphBuilder::reduce(const std::string& name, int src, Reduce settings) {
  return append({.name = name, .op = settings, .inputs = {src}});
}

int GraphBuilder::slice(const std::string& name, int src, Extents begin, Extents size, Extents step) {
  return append({.name = name, .op = Slice{.begin = begin, .step = step, .size = size}, .inputs = {src}});
}

int GraphBuilder::reshape(const std::string& name, int src, Extents size) {
  return append({.name = name, .op = Reshape{size}, .inputs = {src}});
}

int GraphBuilder::permute(const std::string& name, int src, Extents order) {
  return append({.name = name, .op = Permute{order}, .inputs = {src}});
}

int GraphBuilder::depth_to_space(const std::string& name, int src, int block_h, int block_w, Padding crop) {
  return append({.name = name, .op = DepthToSpace{block_h, block_w, crop}, .inputs = {src}});
}

int GraphBuilder::space_to_batch(const std::string& name, int src, const SpaceToBatch& op) {
  return append({.name = name, .op = op, .inputs = {src}});
}

int GraphBuilder::batch_to_space(const std::string& name, int src, const BatchToSpace& op) {
  return append({.name = name, .op = op, .inputs = {src}});
}

int GraphBuilder::resize_nearest(const std::string& name, int src, int h, int w, Grid grid) {
  return append({.name = name, .op = ResizeNearest{h, w, grid}, .inputs = {src}});
}

int GraphBuilder::resize_linear(const std::string& name, int src, int h, int w, Grid grid) {
  return append({.name = name, .op = ResizeLinear{h, w, grid}, .inputs = {src}});
}

Graph GraphBuilder::finish(int logits) { return finish({{.name = "logits", .node = logits}}); }

Graph GraphBuilder::finish(std::vector<GraphOutput> outputs) {
  GPUEVAL_CHECK(!outputs.empty(), "{}: no output", graph_.name);
  std::set<std::string> names;
  for (const auto& [name, node] : outputs) {
    GPUEVAL_CHECK(node >= 0 && node < std::ssize(graph_.nodes), "{}: output '{}' is node {}", graph_.name, name, node);
    GPUEVAL_CHECK(names.insert(name).second, "{}: two outputs are named '{}'", graph_.name, name);
  }
  graph_.outputs = std::move(outputs);
  return std::move(graph_);
}

}  // namespace gpueval
