// SPDX-License-Identifier: Apache-2.0
#include "eval/auto_scheme.h"

#include <utility>

#include "gpueval/error.h"
#include "task/ranking.h"

namespace gpueval {
namespace {

constexpr int kBatch = 8;

std::vector<float> run_all(const Graph& lowered, const CalibrationImages& images, const SchemeDevice& device) {
  const auto engine = make_engine(device.device, lowered, {kBatch, device.kernel});
  const auto classes = static_cast<std::size_t>(lowered.output_node().shape.elements());
  const BatchSource source = images();
  std::vector<float> all, input;
  while (const int n = source(input, kBatch)) {
    const std::size_t start = all.size();
    all.resize(start + static_cast<std::size_t>(n) * classes);
    engine->run(input, n, std::span(all).subspan(start));
  }
  return all;
}

SchemeResult compare_logits(std::span<const float> reference, std::span<const float> logits, std::size_t classes) {
  GPUEVAL_CHECK(reference.size() == logits.size(), "{} logits against {}", logits.size(), reference.size());
  SchemeResult result;
  for (std::size_t i = 0; i < reference.size(); i += classes) {
    const auto theirs = reference.subspan(i, classes), ours = logits.subspan(i, classes);
    result.error.add(theirs, ours);
    result.same_class += rank_classes(theirs).classes[0] == rank_classes(ours).classes[0] ? 1 : 0;
    ++result.images;
  }
  return result;
}

}  // namespace

std::vector<SchemeResult> try_schemes(const Graph& bound, const SchemeImages& images,
                                      const std::vector<QuantOptions>& candidates, const SchemeDevice& device,
                                      const std::function<void(std::size_t, int, int)>& progress) {
  const auto classes = static_cast<std::size_t>(bound.output_node().shape.elements());
  const std::vector<float> reference = run_all(lower_float(bound), images.held_out, device);
  if (reference.empty()) fail("scheme auto found no image to measure on");
  std::vector<SchemeResult> results;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const CalibrationTable table = calibrate(bound, images.calibration, candidates[i], [&](int done, int total) {
      if (progress) progress(i, done, total);
    });
    const Graph lowered = lower_static(bound, table, candidates[i]);
    results.push_back(compare_logits(reference, run_all(lowered, images.held_out, device), classes));
  }
  return results;
}

std::size_t best_scheme(const std::vector<SchemeResult>& results) {
  GPUEVAL_CHECK(!results.empty(), "no recipe was tried");
  std::size_t best = 0;
  for (std::size_t i = 1; i < results.size(); ++i) {
    if (results[i].error.sqnr_db() > results[best].error.sqnr_db()) best = i;
  }
  return best;
}

}  // namespace gpueval
