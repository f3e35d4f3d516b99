// SPDX-License-Identifier: Apache-2.0
// From options to what is measured: the network with its weights, the images, the lowered graphs.
#pragma once

#include <functional>
#include <memory>
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
  std::unique_ptr<Dataset> calibration;  // null: the first of `images`
  std::string missing;                   // why `images` is null: a whole sentence
};
LoadedData load_data(const Options& options, const ModelSpec& spec);

// Images [first, first + count) of the data are judged; the ones before calibrated.
struct ImagePlan {
  std::size_t calibration_count = 0, first = 0, count = 0;
};
ImagePlan plan_images(const Options& options, const LoadedData& data);

bool calibrates(const Options& options);  // some row needs ranges

using CalibrationProgress = std::function<void(const std::string&)>;
// What int8's static schemes need: read from --calibration-table and checked, or found. Fills the report.
CalibrationTable obtain_table(const Options& options, const LoadedModel& model, const LoadedData& data,
                              CalibrationReport& report, const CalibrationProgress& progress = {});
// Calibrates on the first `count` of the images.
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
