// SPDX-License-Identifier: Apache-2.0
// What `gpu_eval list` prints.
#include <fmt/format.h>

#include "gpueval/engine.h"
#include "gpueval/keras.h"
#include "gpueval/models.h"
#include "gpueval/report.h"
#include "quant/calibrators/calibrators.h"
#include "report/text_table.h"

namespace gpueval {
namespace {

using Align = TextTable::Align;

std::string list_models() {
  TextTable table;
  table.column("model", Align::kLeft);
  table.column("alpha");
  table.column("input");
  table.column("parameters");
  table.column("multiply-adds");
  table.column("weight file", Align::kLeft);
  std::string published;
  for (const ModelSpec& spec : models()) {
    for (const double alpha : spec.alphas) {
      const ModelOptions options{.alpha = alpha, .variant = ""};
      const Graph graph = spec.build(options);
      const Shape& input = graph.input_node().shape;
      const std::vector<std::string> files =
          spec.weight_files ? spec.weight_files(options) : std::vector<std::string>{};
      table.row({spec.name, spec.alphas.size() > 1 ? fmt::format("{:g}", alpha) : "",
                 fmt::format("{}x{}", input.h, input.w), grouped(graph.parameter_count()),
                 grouped(graph.multiply_adds()), files.empty() ? "embedded" : files.front()});
    }
    published += fmt::format("{:<25} {}\n{:<25} weights: {}\n", spec.name, spec.description, "", spec.published_at);
  }
  return table.text() + '\n' + published;
}

std::string list_layers() {
  TextTable table;
  for (const char* title : {"name", "kind", "in an int8 network"}) table.column(title, Align::kLeft);
  for (const KerasSupport& row : keras_support()) table.row({row.name, row.kind, row.int8});
  return table.text();
}

std::string list_kernels() {
  TextTable table;
  for (const char* title : {"kernel", "device", "operation", "types", "instructions", "usable here"})
    table.column(title, Align::kLeft);
  for (const KernelInfo& row : kernels())
    table.row({row.name, row.device, row.op, row.types, row.isa, row.usable ? "yes" : "no"});
  return table.text();
}

std::string list_devices() {
  TextTable table;
  for (const char* title : {"device", "usable", "description"}) table.column(title, Align::kLeft);
  for (const DeviceInfo& row : devices()) table.row({row.name, row.usable ? "yes" : "no", row.description});
  return table.text();
}

std::string list_calibrators() {
  TextTable table;
  for (const char* title : {"scheme", "calibration", "what it does"}) table.column(title, Align::kLeft);
  for (const CalibratorSpec& row : calibrators()) table.row({row.name, "images or table", row.description});
  table.row({"best", "images or table", "the default: mse clips and every correction (see --help)"});
  table.row({"auto", "images", "tries recipes on a quarter of the calibration images and picks"});
  table.row({"reference", "none",
             "the original research: one scale a tensor, found at run time for each image, batch norm in float32"});
  return table.text();
}

}  // namespace

std::span<const Listing> listings() {
  static constexpr Listing kAll[] = {{"models", list_models},
                                     {"layers", list_layers},
                                     {"kernels", list_kernels},
                                     {"calibrators", list_calibrators},
                                     {"devices", list_devices}};
  return kAll;
}

}  // namespace gpueval
