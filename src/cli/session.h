// SPDX-License-Identifier: Apache-2.0
// From options to what is measured: the network with its weights, the images, the lowered graphs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "gpueval/dataset.h"
#include "gpueval/engine.h"
#include "gpueval/models.h"
#include "gpueval/quant.h"
#include "gpueval/report.h"

namespace gpueval::cli {

struct LoadedModel {
  const ModelSpec* spec = nullptr;
  Graph graph;  // with weights
  ModelReport report;
  std::string weights_id;  // for calibration tables and journals: the file's SHA-256, or "random-<seed>"
};
LoadedModel load_model(const Options& options);

struct LoadedData {
  std::unique_ptr<Dataset> images;       // null: none given, none found
  std::unique_ptr<Dataset> calibration;  // a set of its own; null: some of `images`
  std::string missing;                   // why `images` is null: a whole sentence
};
LoadedData load_data(const Options& options, const ModelSpec& spec);

// Images to calibrate on. Of a set of their own min(128, all), of the judged set min(128, a quarter), or as many as
// --calibration-images asks for: usage error if there are fewer.
std::size_t calibration_count(const Options& options, const LoadedData& data);
bool calibrates_on_judged(const Options& options, const LoadedData& data);  // on images of the set that is judged
// Throws Error if the calibration images leave none to judge.
void check_images_left(const Options& options, const LoadedData& data);

// The images that are judged: a view of the data, which must outlive it.
struct JudgedSet {
  std::vector<std::size_t> indices;  // in the data
  std::unique_ptr<Dataset> images;
  std::size_t left_out = 0, same_content = 0;  // calibration images, and others with the content of one
};
// The first `limit` images that the table was not calibrated on; by default --limit's. Error if there are none.
JudgedSet judged_set(const Options& options, const LoadedData& data, const CalibrationTable& table,
                     std::optional<std::size_t> limit = {});

bool calibrates(const Options& options);  // some row needs ranges

using CalibrationProgress = std::function<void(const std::string&)>;
// What int8's static schemes need: read from --calibration-table and checked, or found. Fills the report.
CalibrationTable obtain_table(const Options& options, const LoadedModel& model, const LoadedData& data,
                              CalibrationReport& report, const CalibrationProgress& progress = {});
// Calibrates on `count` images spread over the set.
CalibrationTable observe_table(const Options& options, const LoadedModel& model, const Dataset& images,
                               std::size_t count, CalibrationReport& report, const CalibrationProgress& progress = {});

// One of options.precisions as an Engine runs it; table: for int8's static schemes.
Graph lower(const Options& options, const std::string& precision, const Graph& graph, const CalibrationTable& table);

struct EngineSet {
  std::vector<std::unique_ptr<Engine>> owned;
  std::vector<Engine*> engines;
};
EngineSet make_engines(const Options& options, const std::vector<Graph>& lowered, int batch);

}  // namespace gpueval::cli
