// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "cli/engine_options.h"
#include "cli/parts.h"
#include "core/stop_signal.h"
#include "gpueval/accuracy.h"
#include "gpueval/layer_error.h"

namespace gpueval::cli {
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

void measure_layer_error(const Options& options, const LoadedModel& model, const JudgedSet& judged,
                         const std::vector<Graph>& lowered, Progress& progress, Report& report) {
  const std::size_t count = std::min(judged.images->size(), kImages);
  const auto images = select(*judged.images, spread_indices(*judged.images, count, kSeed));
  const auto reference =
      make_engine(options.device, lower_float(model.graph), engine_options(options, "float32", kBatch));
  for (std::size_t i = 0; i < report.runs.size() && !StopSignal::raised(); ++i) {
    RunReport& run = report.runs[i];
    if (run.precision != "int8") continue;
    progress.show(fmt::format("layer errors of {}", run.label()));
    const auto engine = make_engine(options.device, lowered[i], engine_options(options, run.precision, kBatch));
    const LayerErrors errors = measure_layer_errors(
        *reference, *engine,
        image_source(*images, model.spec->input, parse_resizing(options.preprocess), 0, count, nullptr), kBatch);
    fill_errors(run, errors);
    report.layer_error_images = errors.images;
  }
}

}  // namespace gpueval::cli
