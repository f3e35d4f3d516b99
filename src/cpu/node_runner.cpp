// SPDX-License-Identifier: Apache-2.0
#include "cpu/node_runner.h"

#include <cstring>
#include <string>
#include <utility>

#include "cpu/step.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

// Input, one node for each source (never run: its tensor is copied in), the node.
Graph alone(const Graph& graph, Node node) {
  Graph one;
  one.name = graph.name;
  one.nodes.push_back(graph.input_node());
  for (int& input : node.inputs) {
    const Node& source = graph.node(input);
    input = static_cast<int>(one.nodes.size());
    one.nodes.push_back({.name = source.name, .op = Quantize{}, .shape = source.shape, .type = source.type});
  }
  node.slice_of = -1;
  one.outputs = {{.name = node.name, .node = static_cast<int>(one.nodes.size())}};
  one.nodes.push_back(std::move(node));
  return one;
}

class CpuNodeRunner : public NodeRunner {
 public:
  CpuNodeRunner(Graph one, int batch)
      : graph_(std::move(one)), tensors_(graph_, batch), step_(make_step({graph_, graph_.output(), batch, kernel_})) {}

  TensorView run(std::span<const TensorView> sources) override {
    GPUEVAL_CHECK(!sources.empty() && sources.size() + 2 == graph_.nodes.size(), "{} sources", sources.size());
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const TensorView& from = sources[i];
      GPUEVAL_CHECK(from.pitch == from.shape.c, "pitch {} for {} channels", from.pitch, from.shape.c);
      std::memcpy(tensors_.data(static_cast<int>(i) + 1), from.data,
                  static_cast<std::size_t>(from.shape.elements()) * size_of(from.dtype));
    }
    const int n = static_cast<int>(sources[0].shape.n);
    step_->run(tensors_, n);
    return tensors_.view(graph_.output(), n);
  }

 private:
  Graph graph_;
  std::string kernel_;  // the best
  Tensors tensors_;
  std::unique_ptr<Step> step_;
};

}  // namespace

std::unique_ptr<NodeRunner> make_node_runner(const Graph& graph, Node node, int batch) {
  return std::make_unique<CpuNodeRunner>(alone(graph, std::move(node)), batch);
}

}  // namespace gpueval::cpu
