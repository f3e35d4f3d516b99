// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "core/threads.h"
#include "gpueval/error.h"
#include "quant/calibrators/calibrators.h"

namespace gpueval {
namespace {

void count_row(const float* x, int channels, float bins_per_unit, Histogram& histogram) {
  const auto last = static_cast<float>(histogram.counts.size() - 1);
  for (int c = 0; c < channels; ++c) {
    const float magnitude = std::abs(x[c]);
    if (magnitude == 0) {
      ++histogram.zeros;
      continue;
    }
    const float bin = magnitude * bins_per_unit;  // max itself falls into the last one
    ++histogram.counts[static_cast<std::size_t>(bin < last ? bin : last)];
  }
}

// Adds the tensor's |x|. Each worker counts its own pixels; sums of counts have no order.
void count(const TensorView& view, Histogram& histogram) {
  const std::int64_t pixels = view.shape.pixels();
  const int shares = threads();
  std::vector<Histogram> parts(static_cast<std::size_t>(shares));
  const float bins_per_unit = static_cast<float>(histogram.counts.size()) / histogram.max;
  parallel_for(shares, [&](std::int64_t share) {
    Histogram& part = parts[static_cast<std::size_t>(share)];
    part.counts.resize(histogram.counts.size());
    for (std::int64_t p = pixels * share / shares; p < pixels * (share + 1) / shares; ++p) {
      count_row(static_cast<const float*>(view.data) + p * view.pitch, view.shape.c, bins_per_unit, part);
    }
  });
  for (const Histogram& part : parts) {
    histogram.zeros += part.zeros;
    for (std::size_t i = 0; i < part.counts.size(); ++i) histogram.counts[i] += part.counts[i];
  }
}

}  // namespace

std::map<std::string, Histogram> collect_histograms(Engine& float_engine, const CalibrationImages& images, int batch,
                                                    const std::map<std::string, float>& max_abs) {
  const Graph& graph = float_engine.graph();
  std::map<std::string, Histogram> histograms;
  for (const auto& [name, max] : max_abs) {
    if (!std::isfinite(max)) fail("{}: layer '{}' gives {} on the calibration images", graph.name, name, max);
    // Below 1e-30 bins_per_unit would overflow; such a tensor is dead.
    if (max > 1e-30f) histograms[name] = {.max = max, .counts = std::vector<std::uint64_t>(Histogram::kBins)};
  }
  std::vector<float> input;
  const OutputBuffers outputs(graph, batch);
  const BatchSource source = images();
  while (const int n = source(input, batch)) {
    float_engine.run_tapped(input, n, outputs, [&](int node, const TensorView& view) {
      const auto found = histograms.find(graph.node(node).name);
      if (found != histograms.end()) count(view, found->second);
    });
  }
  return histograms;
}

}  // namespace gpueval
