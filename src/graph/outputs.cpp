// SPDX-License-Identifier: Apache-2.0
#include "gpueval/outputs.h"

#include "gpueval/error.h"

namespace gpueval {

std::size_t output_elements(const Graph& graph, std::size_t i) {
  return static_cast<std::size_t>(graph.node(graph.outputs[i].node).shape.elements());
}

void check_outputs(const Graph& graph, int n, const Outputs& outputs) {
  GPUEVAL_CHECK(outputs.size() == graph.outputs.size(), "{} outputs for the {} of {}", outputs.size(),
                graph.outputs.size(), graph.name);
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    GPUEVAL_CHECK(outputs[i].size() >= static_cast<std::size_t>(n) * output_elements(graph, i),
                  "room for {} values of '{}', {} images", outputs[i].size(), graph.outputs[i].name, n);
  }
}

OutputBuffers::OutputBuffers(const Graph& graph, int batch) {
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    values_.emplace_back(static_cast<std::size_t>(batch) * output_elements(graph, i));
  }
  for (std::vector<float>& values : values_) spans_.emplace_back(values);
}

}  // namespace gpueval
