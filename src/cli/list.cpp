// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "core/near_miss.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/models.h"
#include "quant/calibrators/calibrators.h"
#include "report/text_table.h"

namespace gpueval::cli {
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
    published += fmt::format("{:<12} {}\n{:<12} weights: {}\n", spec.name, spec.description, "", spec.published_at);
  }
  return table.text() + '\n' + published;
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

struct Listing {
  const char* name;
  std::string (*text)();
};
constexpr Listing kListings[] = {
    {"models", list_models}, {"kernels", list_kernels}, {"calibrators", list_calibrators}, {"devices", list_devices}};

const Listing* find(const Options& o) {
  for (const Listing& listing : kListings) {
    if (o.positional.size() == 1 && o.positional.front() == listing.name) return &listing;
  }
  return nullptr;
}

void define(CLI::App& app, Options& o) {
  app.add_option("WHAT", o.positional, "models, kernels, calibrators or devices");
}

void check(const CLI::App&, Options& o) {
  if (find(o) == nullptr) {
    const std::string near =
        o.positional.empty() ? "" : did_you_mean(o.positional.front(), {"models", "kernels", "calibrators", "devices"});
    fail_usage("list: expected models, kernels, calibrators or devices{}", near);
  }
}

int run(const Options& o) {
  print_lines(find(o)->text());
  return 0;
}

}  // namespace

const Command kList{"list", "models, kernels, calibrators or devices",        define, check,
                    run,    "  gpu_eval list models\n  gpu_eval list kernels"};

}  // namespace gpueval::cli
