// SPDX-License-Identifier: Apache-2.0
// What an engine computes, in the reference's form.
#pragma once

#include <cstdint>
#include <span>

#include "gpueval/engine.h"
#include "reference/network.h"

namespace gpueval::test {

// Dense copies of the engine's tensors, with the logits of a network with one output.
inline reference::NetworkResult run_engine(Engine& engine, std::span<const float> image) {
  const Graph& graph = engine.graph();
  reference::NetworkResult result;
  result.tensors.resize(graph.nodes.size());
  result.floats.resize(graph.nodes.size());
  OutputBuffers outputs(graph, 1);
  engine.run_tapped(image, 1, outputs, [&](int index, const TensorView& view) {
    const auto i = static_cast<std::size_t>(index);
    const bool is_float = view.dtype == DType::kF32;
    result.floats[i].shape = view.shape;
    if (!is_float) result.tensors[i] = {view.dtype, view.shape};
    for (std::int64_t p = 0; p < view.shape.pixels(); ++p) {
      for (int c = 0; c < view.shape.c; ++c) {
        const std::int64_t at = p * view.pitch + c;
        if (is_float) {
          result.floats[i].values.push_back(static_cast<const float*>(view.data)[at]);
        } else {
          result.tensors[i].bytes[static_cast<std::size_t>(p * view.shape.c + c)] =
              static_cast<const std::uint8_t*>(view.data)[at];
        }
      }
    }
  });
  if (graph.outputs.size() == 1) result.logits.assign(outputs[0].begin(), outputs[0].end());
  return result;
}

}  // namespace gpueval::test
