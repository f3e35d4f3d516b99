// SPDX-License-Identifier: Apache-2.0
#include "session/calibration.h"

#include <fmt/format.h>

#include <utility>

#include "core/file_state.h"
#include "core/input_file.h"
#include "core/sha256.h"
#include "core/stop_signal.h"
#include "gpueval/accuracy.h"
#include "gpueval/error.h"
#include "gpueval/selection.h"
#include "session/auto_recipe.h"
#include "session/images.h"

namespace gpueval {
namespace {

// A single image as a data set: what a classification calibrates on where there is nothing else.
class OneImage : public Dataset {
 public:
  explicit OneImage(std::string path) : path_(std::move(path)) {}
  std::size_t size() const override { return 1; }
  int label(std::size_t) const override { return 0; }
  Image decode(std::size_t) const override { return read_image(path_); }
  std::string name(std::size_t) const override { return path_; }
  std::string path() const override { return path_; }
  std::string kind() const override { return "image"; }
  bool images_are_cropped() const override { return false; }
  std::string state() const override { return file_state(path_); }
  std::uint64_t content_bytes(std::size_t) const override { return InputFile(path_).size(); }
  std::vector<std::uint8_t> content(std::size_t) const override {
    const InputFile file(path_);
    std::vector<std::uint8_t> bytes(file.size());
    file.read(0, bytes);
    return bytes;
  }

 private:
  std::string path_;
};

constexpr std::uint64_t kSeed = 1;

std::string image_list_sha256(const Dataset& images) {
  Sha256 sum;
  for (std::size_t i = 0; i < images.size(); ++i) sum.update(fmt::format("{} {}\n", images.name(i), images.label(i)));
  return sum.hex();
}

// The table as one of this network and recipe.
CalibrationTable named(CalibrationTable table, const LoadedModel& model, const QuantOptions& quant) {
  table.tool_version = tool_info().version;
  table.model = model.graph.name;
  table.weights_sha256 = model.weights_id;
  table.scheme = recipe_text(quant);
  table.activations = to_string(quant.activations);
  return table;
}

QuantizationReport quantization_report(const QuantOptions& quant, int calibration_images) {
  QuantizationReport report;
  report.scheme = to_string(quant.scheme);
  report.activations = to_string(quant.activations);
  for (const CorrectionSwitch& row : correction_switches()) {
    if (quant.corrections.*row.member) report.corrections.emplace_back(row.name);
  }
  report.calibration_images = calibration_images;
  if (quant.scheme == Scheme::kPercentile) report.percentile = quant.percentile;
  report.float_layers = quant.float_layers;
  return report;
}

// As the network is given them: whether it scales them itself or the pixel table does, the ranges are of the same
// tensors.
std::string table_preprocessing(const LoadedModel& model, const Dataset& images, Preprocessing preprocessing) {
  if (model.pixel_chain) preprocessing.input.normalization = Normalization::kNone;
  return preprocessing_name(images, preprocessing);
}

}  // namespace

const CalibrationTable& check_read_table(const Plan& plan, const CalibrationTable& table, const RecipeRequest& request,
                                         const LoadedModel& model, const LoadedData& data, CalibrationReport& report) {
  const std::string& path = plan.calibration.table;
  if (request.automatic) fail_usage("scheme auto contradicts the calibration table {}: it calibrates", path);
  const QuantOptions quant = settle(request);
  CalibrationTable expected = named({}, model, quant);
  // Nothing is judged without data, so any preprocessing will do.
  const bool measures = data.images && (plan.accuracy || plan.speed);
  expected.preprocessing = measures
                               ? table_preprocessing(model, *data.images, preprocessing_of(plan, model, *data.images))
                               : table.preprocessing;
  check_table(table, expected, path);
  check_table_layers(table, model.graph, quant, path);
  report = {"table", path, table.images, false, {}, quantization_report(quant, table.images), {}};
  for (const ImageDigest& image : table.calibration_images) report.indices.push_back(image.index);
  report.seed = table.seed;
  report.isa = table.isa;
  report.cpu = table.cpu;
  return table;
}

CalibrationTable observe_table(const Plan& plan, const RecipeRequest& request, const LoadedModel& model,
                               const Dataset& data, std::size_t count, CalibrationReport& report,
                               const StepText& step) {
  const std::vector<std::size_t> indices = spread_indices(data, count, kSeed);
  const auto selection = select(data, indices);
  const Dataset& images = *selection;
  const Preprocessing preprocessing = preprocessing_of(plan, model, images);
  bool first_pass = true;  // a later pass would count what it skips again
  const CalibrationImages source = [&]() -> BatchSource {
    return image_source(images, preprocessing, 0, count, std::exchange(first_pass, false) ? &report.skipped : nullptr);
  };
  const QuantOptions quant =
      request.automatic ? pick_recipe(plan, request, model, images, report, step) : settle(request);
  CalibrationTable found = calibrate(model.graph, source, quant, [&](int done, int total) {
    stop_point();
    step(fmt::format("calibrating, {} of {}", done, total));
  });
  CalibrationTable table = named(std::move(found), model, quant);
  table.preprocessing = table_preprocessing(model, images, preprocessing);
  table.image_list_sha256 = image_list_sha256(images);
  table.images = static_cast<int>(count - report.skipped.size());
  table.calibration_images = image_digests(data, indices);
  table.seed = kSeed;
  table.cpu = host_info().cpu;
  for (SkippedImage& image : report.skipped) image.index = indices[image.index];
  report.indices = indices;
  report.seed = kSeed;
  report.classes = class_count(images);
  report.isa = table.isa;
  report.cpu = table.cpu;
  report.path = images.path();
  report.images = table.images;
  report.quantization = quantization_report(quant, table.images);
  return table;
}

CalibrationTable obtain_table(const Plan& plan, const RecipeRequest& request, const LoadedModel& model,
                              const LoadedData& data, CalibrationReport& report, const StepText& step) {
  const std::size_t count = calibration_count(plan, data);
  if (data.images) {
    report.source = "data";
    report.excluded = calibrates_on_judged(plan, data);
    return observe_table(plan, request, model, data.calibration ? *data.calibration : *data.images, count, report,
                         step);
  }
  if (!plan.calibration.image.empty()) {
    report.source = "image";
    return observe_table(plan, request, model, OneImage(plan.calibration.image), 1, report, step);
  }
  report.source = "synthetic";
  const InputSpec& input = model.input;
  return observe_table(plan, request, model, *open_synthetic(input.height, input.width, count, 1, input.channels),
                       count, report, step);
}

}  // namespace gpueval
