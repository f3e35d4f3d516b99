// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "core/stop_signal.h"
#include "gpueval/accuracy.h"
#include "gpueval/layer_error.h"
#include "gpueval/selection.h"
#include "session/parts.h"

namespace gpueval {
namespace {

constexpr std::size_t kImages = 32;  // of the judged ones: millions of values a layer
constexpr int kBatch = 8;
constexpr std::uint64_t kSeed = 1;

void fill_errors(RunReport& run, const LayerErrors& errors) {
  for (LayerReport& layer : run.layers) {
    const LayerError* error = errors.find(layer.info.name);
    if (error == nullptr) continue;
    LayerErrorReport& report = layer.error.emplace();
    report.sqnr_db = error->sqnr_db;
    report.cosine = error->cosine;
    if (!error->is_integer) continue;
    report.range_used = error->range_used;
    report.saturation = error->saturation;
  }
}

}  // namespace

void measure_layer_error(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, Observer& observer,
                         Report& report) {
  const LoadedModel& model = prepared.model;
  const std::size_t count = std::min(judged.images->size(), kImages);
  const auto images = select(*judged.images, spread_indices(*judged.images, count, kSeed));
  const LoweredRow float_row{.row = {.kernel = plan.rows.front().kernel}, .graph = lower_float(model.graph)};
  const auto reference = make_engine(plan, float_row, kBatch);
  for (std::size_t i = 0; i < prepared.rows.size() && !StopSignal::raised(); ++i) {
    if (prepared.rows[i].row.precision != Precision::kInt8) continue;
    RunReport& run = report.runs[i];
    observer.on_step(fmt::format("layer errors of {}", run.label()));
    const auto engine = make_engine(plan, prepared.rows[i], kBatch);
    const LayerErrors errors = measure_layer_errors(
        *reference, *engine, image_source(*images, preprocessing_of(plan, model, *images), 0, count, nullptr), kBatch);
    fill_errors(run, errors);
    report.layer_error_images = errors.images;
  }
}

}  // namespace gpueval
