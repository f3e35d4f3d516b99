// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>

#include "gpueval/error.h"
#include "gpueval/onnx_export.h"
#include "gpueval/session.h"

namespace gpueval {
namespace {

std::string form_of(const LoweredRow& row) {
  const std::string precision = to_string(row.row.precision);
  if (row.row.precision != Precision::kInt8) return precision;
  const DType activations = row.row.recipe.activations.value_or(DType::kU8);
  return fmt::format("{} (scheme {}, {} activations)", precision, row.scheme, to_string(activations));
}

std::string description(const Plan& plan, const LoadedModel& model, const std::string& form) {
  const InputSpec& input = model.input;
  const Normalization normalization = plan.data.preprocessing.normalization.value_or(input.normalization);
  return fmt::format("{}, {}; weights {}; input (N, {}, {}, {}), {}", model.graph.name, form, model.weights_id,
                     input.height, input.width, input.channels, formula(normalization, input.channels));
}

}  // namespace

ExportedNetwork export_network(const Plan& plan, const std::string& path, Observer& observer) {
  Prepared prepared = prepare(plan, observer);
  const LoadedModel& model = prepared.model;
  const LoweredRow& row = prepared.rows.front();
  // Random weights may be calibrated on synthetic images; real ones deserve real images.
  if (prepared.calibration && prepared.calibration->source == "synthetic" && model.report.weights != "random")
    fail("{}", prepared.data.missing);
  const bool for_tensorrt = row.row.recipe.activations == DType::kS8;
  ExportedNetwork result{.path = path, .network = model.graph.name, .form = form_of(row), .input = model.input};
  export_onnx(row.graph, path,
              {.bias = for_tensorrt ? OnnxBias::kFloat32 : OnnxBias::kInt32,
               .producer_version = tool_info().version,
               .description = description(plan, model, result.form)});
  result.bytes = std::filesystem::file_size(path);
  for (const GraphOutput& out : row.graph.outputs) result.outputs.push_back({out.name, row.graph.node(out.node).shape});
  if (row.row.precision == Precision::kInt8 && plan.calibration.table.empty())
    result.calibration_images = prepared.table.images;
  result.notes = std::move(prepared.notes);
  return result;
}

}  // namespace gpueval
