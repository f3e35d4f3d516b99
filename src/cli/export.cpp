// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "cli/commands.h"
#include "cli/recipe.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "gpueval/error.h"
#include "gpueval/onnx_export.h"

namespace gpueval::cli {
namespace {

const char* input_text(Normalization normalization) {
  return normalization == Normalization::kCaffeBgr ? "B, G, R minus (103.939, 116.779, 123.68)"
                                                   : "R, G, B as x / 127.5 - 1";
}

CalibrationTable table_for_export(const Options& options, const LoadedModel& model) {
  if (!calibrates(options)) return {};
  LoadedData data;
  if (options.calibration_table.empty()) {
    data = load_data(options, *model.spec);
    // Random weights may be calibrated on synthetic images; real ones deserve real images.
    if (!data.images && model.report.weights != "random") {
      fail("{}", data.missing);
    }
  }
  CalibrationReport report;
  return obtain_table(options, model, data, report);
}

}  // namespace

int export_network(const Options& options) {
  const std::string& precision = options.precisions.front();
  const LoadedModel model = load_model(options);
  const CalibrationTable table = table_for_export(options, model);
  const bool integer = precision == "int8", for_tensorrt = options.activations == "s8";
  std::string form = precision;
  if (integer) form += fmt::format(" (scheme {}, {} activations)", options.scheme, options.activations);
  const InputSpec& input = model.spec->input;
  const OnnxOptions onnx{
      .bias = for_tensorrt ? OnnxBias::kFloat32 : OnnxBias::kInt32,
      .producer_version = tool_info().version,
      .description = fmt::format("{}, {}; weights {}; input (N, {}, {}, 3), {}", model.graph.name, form,
                                 model.weights_id, input.height, input.width, input_text(input.normalization))};
  export_onnx(lower(options, precision, model.graph, table), options.onnx, onnx);
  print_line(fmt::format("{}: {} {}, {:.1f} MB; input `input` float32 (N, {}, {}, 3), output `logits` (N, {})",
                         options.onnx, model.graph.name, form,
                         static_cast<double>(std::filesystem::file_size(options.onnx)) / 1e6, input.height, input.width,
                         model.report.classes));
  const auto note = integer ? rounding_note(model.graph, parse_recipe(table.scheme)) : std::nullopt;
  if (note) print_note(*note);
  if (integer && options.calibration_table.empty())
    print_line(fmt::format("Calibrated on {} images; `gpu_eval calibrate` writes a table that other commands can read.",
                           table.images));
  return 0;
}

}  // namespace gpueval::cli
