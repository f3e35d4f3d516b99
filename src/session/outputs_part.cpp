// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "core/stop_signal.h"
#include "eval/npy_writer.h"
#include "gpueval/accuracy.h"
#include "gpueval/error.h"
#include "session/parts.h"

namespace gpueval {
namespace {

constexpr int kBatch = 8;

void softmax(std::span<float> row) {
  const float most = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const float v : row) sum += std::exp(double{v} - most);
  for (float& v : row) v = static_cast<float>(std::exp(double{v} - most) / sum);
}

void apply_head(const std::string& head, std::size_t channels, std::span<float> values) {
  if (head == "sigmoid") {
    for (float& v : values) v = static_cast<float>(1 / (1 + std::exp(-double{v})));
  }
  if (head != "softmax") return;
  for (std::size_t i = 0; i < values.size(); i += channels) softmax(values.subspan(i, channels));
}

std::string file_of(const std::string& folder, std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  return (std::filesystem::path(folder) / (name + ".npy")).string();
}

struct Target {
  std::size_t output;
  std::unique_ptr<NpyWriter> file;
};

std::vector<Target> open_targets(const OutputsPlan& plan, const ModelReport& model) {
  std::vector<Target> targets;
  if (!plan.first.empty())
    targets.push_back({0, std::make_unique<NpyWriter>(plan.first, model.outputs.front().extents)});
  if (plan.folder.empty()) return targets;
  std::error_code error;
  std::filesystem::create_directories(plan.folder, error);
  if (error) fail_file("{}: cannot be made: {}", plan.folder, error.message());
  for (std::size_t i = 0; i < model.outputs.size(); ++i) {
    targets.push_back(
        {i, std::make_unique<NpyWriter>(file_of(plan.folder, model.outputs[i].name), model.outputs[i].extents)});
  }
  return targets;
}

}  // namespace

void save_outputs(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, Report& report) {
  const Dataset& images = judged.images ? *judged.images : *prepared.data.images;
  const std::size_t count = std::min(images.size(), plan.data.limit.value_or(images.size()));
  std::vector<Target> targets = open_targets(plan.outputs, report.model);
  const LoweredRow& row = prepared.rows.back();
  const auto engine = make_engine(plan, row, kBatch);
  OutputBuffers buffers(engine->graph(), kBatch);
  std::vector<SkippedImage> skipped;
  const auto source = image_source(images, preprocessing_of(plan, prepared.model, images), 0, count, &skipped);
  std::vector<float> pixels;
  std::size_t saved = 0;
  for (int n = 0; (n = source(pixels, kBatch)) > 0; saved += static_cast<std::size_t>(n)) {
    stop_point();
    engine->run(pixels, n, buffers);
    for (Target& target : targets) {
      const auto each = static_cast<std::size_t>(report.model.outputs[target.output].shape.elements());
      const std::span<float> values = buffers[target.output].first(each * static_cast<std::size_t>(n));
      std::vector<float> copy(values.begin(), values.end());
      const auto channels = static_cast<std::size_t>(report.model.outputs[target.output].shape.c);
      if (plan.outputs.probabilities) apply_head(report.model.outputs[target.output].head, channels, copy);
      target.file->append(copy);
    }
  }
  for (Target& target : targets) target.file->finish();
  for (RunReport& run : report.runs) {
    if (run.device.empty()) run.device = engine->device();
  }
  report.notes.push_back(fmt::format("Outputs of {} images by {}: {}{}.", saved, empty_run(row).label(),
                                     plan.outputs.folder.empty() ? plan.outputs.first : plan.outputs.folder,
                                     skipped.empty() ? "" : fmt::format("; {} could not be decoded", skipped.size())));
}

}  // namespace gpueval
