// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "cli/auto_part.h"
#include "cli/engine_options.h"
#include "cli/recipe.h"
#include "cli/session.h"
#include "core/file_state.h"
#include "core/input_file.h"
#include "core/sha256.h"
#include "core/stop_signal.h"
#include "gpueval/accuracy.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

// A single image as a data set: what --image calibrates on where there is nothing else.
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

CalibrationTable empty_table(const Options& options, const LoadedModel& model, const std::string& recipe) {
  CalibrationTable table;
  table.tool_version = tool_info().version;
  table.model = model.graph.name;
  table.weights_sha256 = model.weights_id;
  table.scheme = recipe;
  table.activations = options.activations;
  return table;
}

constexpr std::uint64_t kSeed = 1;

std::string image_list_sha256(const Dataset& images) {
  Sha256 sum;
  for (std::size_t i = 0; i < images.size(); ++i) sum.update(fmt::format("{} {}\n", images.name(i), images.label(i)));
  return sum.hex();
}

CalibrationTable read_table(const Options& options, const LoadedModel& model, const LoadedData& data,
                            CalibrationReport& report) {
  const CalibrationTable table = load_table(options.calibration_table);
  const QuantOptions quant = quant_options(options);
  CalibrationTable expected = empty_table(options, model, recipe_text(quant));
  // Nothing is judged without data, so any preprocessing will do.
  expected.preprocessing = data.images && options.command == Command::kMeasure
                               ? preprocessing_name(*data.images, model.spec->input, parse_resizing(options.preprocess))
                               : table.preprocessing;
  check_table(table, expected, options.calibration_table);
  check_table_layers(table, model.graph, quant, options.calibration_table);
  report = {"table", options.calibration_table, table.images, false, {}, quantization_report(quant, table.images), {}};
  for (const ImageDigest& image : table.calibration_images) report.indices.push_back(image.index);
  report.seed = table.seed;
  report.isa = table.isa;
  report.cpu = table.cpu;
  return table;
}

}  // namespace

CalibrationTable observe_table(const Options& options, const LoadedModel& model, const Dataset& data, std::size_t count,
                               CalibrationReport& report, const CalibrationProgress& progress) {
  const std::vector<std::size_t> indices = spread_indices(data, count, kSeed);
  const auto selection = select(data, indices);
  const Dataset& images = *selection;
  const Resizing resizing = parse_resizing(options.preprocess);
  const InputSpec& input = model.spec->input;
  bool first_pass = true;  // a later pass would count what it skips again
  const CalibrationImages source = [&, resizing]() -> BatchSource {
    return image_source(images, input, resizing, 0, count,
                        std::exchange(first_pass, false) ? &report.skipped : nullptr);
  };
  const QuantOptions quant =
      is_auto(options) ? pick_recipe(options, model, images, report, progress) : quant_options(options);
  CalibrationTable table = calibrate(model.graph, source, quant, [&](int done, int total) {
    stop_point();
    if (progress) progress(fmt::format("calibrating, {} of {}", done, total));
  });
  CalibrationTable facts = empty_table(options, model, recipe_text(quant));
  facts.preprocessing = preprocessing_name(images, input, resizing);
  facts.image_list_sha256 = image_list_sha256(images);
  facts.images = static_cast<int>(count - report.skipped.size());
  facts.calibration_images = image_digests(data, indices);
  facts.seed = kSeed;
  facts.isa = table.isa;
  facts.cpu = host_info().cpu;
  facts.range = std::move(table.range);
  facts.channel_scale = std::move(table.channel_scale);
  facts.corrections = std::move(table.corrections);
  for (SkippedImage& image : report.skipped) image.index = indices[image.index];
  report.indices = indices;
  report.seed = kSeed;
  report.classes = class_count(images);
  report.isa = facts.isa;
  report.cpu = facts.cpu;
  report.path = images.path();
  report.images = facts.images;
  report.quantization = quantization_report(quant, facts.images);
  return facts;
}

CalibrationTable obtain_table(const Options& options, const LoadedModel& model, const LoadedData& data,
                              CalibrationReport& report, const CalibrationProgress& progress) {
  if (!options.calibration_table.empty()) return read_table(options, model, data, report);
  const std::size_t count = calibration_count(options, data);
  if (data.images) {
    report.source = "data";
    report.excluded = calibrates_on_judged(options, data);
    return observe_table(options, model, data.calibration ? *data.calibration : *data.images, count, report, progress);
  }
  if (options.command == Command::kClassify) {
    report.source = "image";
    return observe_table(options, model, OneImage(options.image), 1, report, progress);
  }
  report.source = "synthetic";
  const InputSpec& input = model.spec->input;
  return observe_table(options, model, *open_synthetic(input.height, input.width, count, 1), count, report, progress);
}

Graph lower(const Options& options, const std::string& precision, const Graph& graph, const CalibrationTable& table) {
  if (precision != "int8") return lower_float(graph);  // tf32 and float16: the engine's matter
  if (options.scheme == to_string(Scheme::kReference)) return lower_reference(graph, quant_options(options));
  QuantOptions quant = parse_recipe(table.scheme);
  quant.activations = table.activations == "s8" ? DType::kS8 : DType::kU8;
  quant.float_layers = options.float_layers;
  return lower_static(graph, table, quant);
}

EngineSet make_engines(const Options& options, const std::vector<Graph>& lowered, int batch) {
  EngineSet set;
  for (std::size_t i = 0; i < lowered.size(); ++i) {
    // Commands with rows of their own take no --precision and have float32 and int8 only.
    const std::string precision = i < options.precisions.size() ? options.precisions[i] : "int8";
    set.owned.push_back(make_engine(options.device, lowered[i], engine_options(options, precision, batch)));
    set.engines.push_back(set.owned.back().get());
  }
  return set;
}

}  // namespace gpueval::cli
