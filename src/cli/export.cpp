// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>

#include "cli/commands.h"
#include "cli/option_groups.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "gpueval/error.h"
#include "gpueval/onnx_export.h"

namespace gpueval::cli {
namespace {

void define_export(CLI::App& app, Options& o) {
  o.precisions = {"float32"};
  Section(app, "Result").option("--onnx", o.onnx, "F.onnx", "the file to write");
  add_network(app, o);
  add_images(app, o);
  Section(app, "Rows")
      .option("--precision", o.precisions, "P", "float32 (default) or int8")
      ->check(one_of({"float32", "int8"}));
  add_scheme(app, o, "best (default), auto or another static one of `gpu_eval list calibrators`");
  add_calibration(app, o);
  add_table_to_read(app, o);
  add_corrections(app, o);
  add_device(app, o);
}

void check_export(const CLI::App& app, Options& o) {
  need_model(o);
  if (o.onnx.empty()) fail_usage("export needs --onnx F.onnx, the file to write");
  if (o.precisions.size() != 1) fail_usage("export writes one network: --precision float32 or int8");
  if (o.has_int8()) {
    check_static(o, "export");
    check_recipe(o);
  } else {
    refuse_int8(app, o, "--precision float32: it belongs to int8");
    refuse_option(o, "--scheme", "--precision float32: it belongs to int8");
  }
  check_device(o);
}

// As export_onnx() writes them.
std::string outputs(const Graph& graph) {
  std::string text;
  for (const GraphOutput& out : graph.outputs) {
    const Shape& shape = graph.node(out.node).shape;
    text += shape.pixels() == 1 ? fmt::format(", output `{}` (N, {})", out.name, shape.c)
                                : fmt::format(", output `{}` (N, {}, {}, {})", out.name, shape.h, shape.w, shape.c);
  }
  return text;
}

int run_export(const Options& o) {
  const Plan plan = unmeasured_plan(o);
  const bool integer = o.has_int8();
  Prepared prepared;
  {
    Progress progress;
    prepared = prepare(plan, progress);
  }
  const LoadedModel& model = prepared.model;
  const LoweredRow& row = prepared.rows.front();
  // Random weights may be calibrated on synthetic images; real ones deserve real images.
  if (prepared.calibration && prepared.calibration->source == "synthetic" && model.report.weights != "random")
    fail("{}", prepared.data.missing);
  const bool for_tensorrt = row.row.recipe.activations == DType::kS8;
  std::string form = o.precisions.front();
  if (integer) form += fmt::format(" (scheme {}, {} activations)", row.scheme, for_tensorrt ? "s8" : "u8");
  const InputSpec& input = model.input;
  const OnnxOptions onnx{
      .bias = for_tensorrt ? OnnxBias::kFloat32 : OnnxBias::kInt32,
      .producer_version = tool_info().version,
      .description =
          fmt::format("{}, {}; weights {}; input (N, {}, {}, {}), {}", model.graph.name, form, model.weights_id,
                      input.height, input.width, input.channels,
                      formula(plan.data.preprocessing.normalization.value_or(input.normalization), input.channels))};
  export_onnx(row.graph, o.onnx, onnx);
  print_line(fmt::format("{}: {} {}, {:.1f} MB; input `input` float32 (N, {}, {}, {}){}", o.onnx, model.graph.name,
                         form, static_cast<double>(std::filesystem::file_size(o.onnx)) / 1e6, input.height, input.width,
                         input.channels, outputs(row.graph)));
  for (const std::string& note : prepared.notes) print_note(note);
  if (integer && plan.calibration.table.empty())
    print_line(fmt::format("Calibrated on {} images; `gpu_eval calibrate` writes a table that other commands can read.",
                           prepared.table.images));
  return 0;
}

}  // namespace

const Command kExport{"export",
                      "write a network as ONNX, for ONNX Runtime, OpenVINO, TensorRT (docs/onnx.md)",
                      define_export,
                      check_export,
                      run_export,
                      R"(  gpu_eval export --onnx float32.onnx --model squeezenet
  gpu_eval export --onnx int8.onnx --model squeezenet --precision int8 --calibration-table t.json
  gpu_eval export --onnx trt.onnx --model resnet50 --precision int8 --activations s8   for TensorRT)"};

}  // namespace gpueval::cli
