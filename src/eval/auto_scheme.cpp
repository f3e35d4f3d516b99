// SPDX-License-Identifier: Apache-2.0
#include "eval/auto_scheme.h"

#include <utility>

#include "eval/chunk_outputs.h"
#include "gpueval/classification.h"
#include "gpueval/error.h"
#include "task/output_error.h"
#include "task/ranking.h"

namespace gpueval {
namespace {

constexpr int kBatch = 8;

// Batch by batch.
struct BatchOutputs {
  int images = 0;
  ChunkOutputs outputs;
};

std::vector<BatchOutputs> run_all(const Graph& lowered, const CalibrationImages& images, const SchemeDevice& device) {
  const auto engine = make_engine(device.device, lowered, {kBatch, device.kernel});
  const BatchSource source = images();
  std::vector<BatchOutputs> all;
  std::vector<float> input;
  while (const int n = source(input, kBatch)) {
    ChunkOutputs& outputs = all.emplace_back(BatchOutputs{n, {}}).outputs;
    outputs.resize(lowered, static_cast<std::size_t>(n));
    engine->run(input, n, Outputs(outputs.of(0, static_cast<std::size_t>(n))));
  }
  return all;
}

void compare_image(ImageOutputs reference, ImageOutputs outputs, SchemeResult& result) {
  ++result.images;
  if (!result.same_class) {
    result.error.add(logit_error_of(output_error(reference, outputs)));
    return;
  }
  result.error.add(reference[0], outputs[0]);
  *result.same_class += rank_classes(reference[0]).classes[0] == rank_classes(outputs[0]).classes[0] ? 1 : 0;
}

SchemeResult compare_outputs(const std::vector<BatchOutputs>& reference, const std::vector<BatchOutputs>& found,
                             bool classifies) {
  GPUEVAL_CHECK(reference.size() == found.size(), "{} batches against {}", found.size(), reference.size());
  SchemeResult result;
  if (classifies) result.same_class = 0;
  for (std::size_t b = 0; b < reference.size(); ++b) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(reference[b].images); ++i)
      compare_image(reference[b].outputs.of_image(i), found[b].outputs.of_image(i), result);
  }
  return result;
}

}  // namespace

std::vector<SchemeResult> try_schemes(const Graph& bound, const SchemeImages& images,
                                      const std::vector<QuantOptions>& candidates, const SchemeDevice& device,
                                      const std::function<void(std::size_t, int, int)>& progress) {
  const std::vector<BatchOutputs> reference = run_all(lower_float(bound), images.held_out, device);
  if (reference.empty()) fail("scheme auto found no image to measure on");
  std::vector<SchemeResult> results;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const CalibrationTable table = calibrate(bound, images.calibration, candidates[i], [&](int done, int total) {
      if (progress) progress(i, done, total);
    });
    const Graph lowered = lower_static(bound, table, candidates[i]);
    results.push_back(compare_outputs(reference, run_all(lowered, images.held_out, device), classes_of(bound) > 0));
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
