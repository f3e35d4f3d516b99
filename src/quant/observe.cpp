// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "core/threads.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"

namespace gpueval {
namespace {

float max_abs(const TensorView& view) {
  const std::int64_t pixels = view.shape.pixels();
  const int shares = threads();
  std::vector<float> largest(static_cast<std::size_t>(shares), 0.0f);
  parallel_for(shares, [&](std::int64_t share) {
    float most = 0;
    for (std::int64_t p = pixels * share / shares; p < pixels * (share + 1) / shares; ++p) {
      const float* x = static_cast<const float*>(view.data) + p * view.pitch;
      for (int c = 0; c < view.shape.c; ++c) most = std::max(most, std::abs(x[c]));
    }
    largest[static_cast<std::size_t>(share)] = most;
  });
  return *std::max_element(largest.begin(), largest.end());
}

}  // namespace

std::map<std::string, float> observe_ranges(Engine& float_engine, const BatchSource& source, int batch) {
  const Graph& graph = float_engine.graph();
  std::map<std::string, float> ranges;
  std::vector<float> input;
  const OutputBuffers outputs(graph, batch);
  int images = 0;
  while (const int n = source(input, batch)) {
    images += n;
    float_engine.run_tapped(input, n, outputs, [&](int node, const TensorView& view) {
      float& range = ranges[graph.node(node).name];
      range = std::max(range, max_abs(view));
    });
  }
  if (images == 0) fail("calibration found no image to run");
  return ranges;
}

}  // namespace gpueval
