// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/node_runner.h"

#include <cstring>
#include <string>
#include <utility>

#include "core/stop_signal.h"
#include "cpu/step.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

// Input, one node for each source (never run: its tensor is copied in), the node.
Graph alone(const Graph& graph, Node node) {
  Graph one;
  one.name = graph.name;
  one.nodes.push_back(graph.input_node());
  for (int& input : node.inputs) {
    const Node& source = graph.nodes[static_cast<std::size_t>(input)];
    input = static_cast<int>(one.nodes.size());
    one.nodes.push_back({.name = source.name, .op = Quantize{}, .shape = source.shape, .type = source.type});
  }
  node.slice_of = -1;
  one.output = static_cast<int>(one.nodes.size());
  one.nodes.push_back(std::move(node));
  return one;
}

}  // namespace

ImageTensor::ImageTensor(DType type, const Shape& image, int images) : dtype(type), shape(image) {
  shape.n = images;
  bytes.resize(static_cast<std::size_t>(shape.elements()) * size_of(type));
}

std::size_t ImageTensor::image_bytes() const { return bytes.size() / static_cast<std::size_t>(shape.n); }

TensorView ImageTensor::view(int first, int n) const {
  Shape part = shape;
  part.n = n;
  return {bytes.data() + static_cast<std::size_t>(first) * image_bytes(), dtype, part, shape.c};
}

void ImageTensor::store(int first, const TensorView& from) {
  GPUEVAL_CHECK(from.pitch == shape.c && from.dtype == dtype, "pitch {} for {} channels", from.pitch, shape.c);
  std::memcpy(bytes.data() + static_cast<std::size_t>(first) * image_bytes(), from.data,
              static_cast<std::size_t>(from.shape.n) * image_bytes());
}

struct NodeRunner::Impl {
  Graph graph;
  cpu::Tensors tensors;
  std::string kernel;  // the best
  std::unique_ptr<cpu::Step> step;

  Impl(Graph one, int batch) : graph(std::move(one)), tensors(graph, batch) {
    step = cpu::make_step({graph, graph.output, batch, kernel});
  }
};

NodeRunner::NodeRunner(const Graph& graph, Node node, int batch)
    : impl_(std::make_unique<Impl>(alone(graph, std::move(node)), batch)) {}

NodeRunner::~NodeRunner() = default;

TensorView NodeRunner::run(std::span<const ImageTensor* const> sources, int first, int n) {
  stop_point();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const TensorView from = sources[i]->view(first, n);
    std::memcpy(impl_->tensors.data(static_cast<int>(i) + 1), from.data,
                static_cast<std::size_t>(n) * sources[i]->image_bytes());
  }
  impl_->step->run(impl_->tensors, n);
  return impl_->tensors.view(impl_->graph.output, n);
}

}  // namespace gpueval
