// SPDX-License-Identifier: Apache-2.0
#include "quant/calibrators/calibrators.h"

#include <numeric>

#include "core/threads.h"
#include "gpueval/error.h"
#include "graph/passes.h"

namespace gpueval {

#define GPUEVAL_CALIBRATOR(name) CalibratorSpec name##_calibrator();
#include "quant/calibrators/calibrators.inc"
#undef GPUEVAL_CALIBRATOR

const std::vector<CalibratorSpec>& calibrators() {
  static const std::vector<CalibratorSpec> all{
#define GPUEVAL_CALIBRATOR(name) name##_calibrator(),
#include "quant/calibrators/calibrators.inc"
#undef GPUEVAL_CALIBRATOR
  };
  return all;
}

const CalibratorSpec& calibrator_of(Scheme scheme) {
  if (scheme == Scheme::kBest) scheme = Scheme::kMse;
  for (const CalibratorSpec& spec : calibrators()) {
    if (spec.scheme == scheme) return spec;
  }
  fail("the scheme '{}' has no calibration method", to_string(scheme));
}

int largest_integer(DType dtype) { return dtype == DType::kU8 ? 255 : 127; }

std::uint64_t Histogram::total() const { return std::accumulate(counts.begin(), counts.end(), zeros); }

std::map<std::string, float> calibrated_ranges(Engine& float_engine, const CalibrationImages& images, int batch,
                                               const QuantOptions& options) {
  const CalibratorSpec& method = calibrator_of(options.scheme);
  std::map<std::string, float> ranges = observe_ranges(float_engine, images(), batch);
  if (!method.needs_histogram) return ranges;
  const std::map<std::string, Histogram> histograms = collect_histograms(float_engine, images, batch, ranges);
  const Graph& graph = float_engine.graph();
  const std::vector<bool> positive = non_negative(graph);
  parallel_for_dynamic(static_cast<std::int64_t>(graph.nodes.size()), [&](std::int64_t i) {
    const auto node = static_cast<std::size_t>(i);
    const auto found = histograms.find(graph.nodes[node].name);
    if (found == histograms.end()) return;
    const DType dtype = positive[node] && options.activations == DType::kU8 ? DType::kU8 : DType::kS8;
    ranges.at(found->first) = method.range(found->second, dtype, options);
  });
  return ranges;
}

}  // namespace gpueval
