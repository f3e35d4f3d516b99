// SPDX-License-Identifier: Apache-2.0
// `gpu_eval table`: every network in float32, as the original research quantized it, and in our static schemes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/lookup.h"
#include "cli/outputs.h"
#include "cli/parts.h"
#include "cli/recipe.h"
#include "cli/session.h"
#include "cli/start_report.h"
#include "cli/terminal.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

// Options of each row; the precision is that of its options.precisions.
std::vector<Options> row_options(const Options& options, const Graph& graph) {
  const auto row = [&](const char* precision, const char* scheme, const char* depthwise) {
    Options o = options;
    o.precisions = {precision};
    o.scheme = scheme;
    o.depthwise = depthwise;
    return o;
  };
  std::vector<Options> rows{row("float32", "maxabs", "int8"), row("int8", "reference", "int8")};
  const bool depthwise = std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return std::holds_alternative<DepthwiseConv2D>(node.op) || std::holds_alternative<SeparableConv2D>(node.op);
  });
  if (depthwise) rows.push_back(row("int8", "reference", "float32"));
  rows.push_back(row("int8", "maxabs", "int8"));
  rows.push_back(row("int8", "best", "int8"));
  return rows;
}

// Lowers every row and begins its run in the report; calibrates where a row needs it.
std::vector<Graph> lower_rows(const Options& options, const LoadedModel& model, const LoadedData& data,
                              const std::string& name, Progress& progress, Report& report,
                              CalibrationTable& calibrated_on) {
  std::vector<Graph> lowered;
  for (const Options& row : row_options(options, model.graph)) {
    RunReport run = empty_run(row, row.precisions.front());
    CalibrationTable table;
    if (calibrates(row)) {
      CalibrationReport calibration;
      table = obtain_table(row, model, data, calibration, [&](const std::string& text) {
        progress.show_now_and_then(fmt::format("{}, {}: {}", name, row.scheme, text));
      });
      run.quantization = calibration.quantization;
      if (const auto note = rounding_note(model.graph, parse_recipe(table.scheme))) {
        print_note(fmt::format("{}, {}: {}", name, row.scheme, *note));
        report.notes.push_back(*note);
      }
      report.calibration = std::move(calibration);
    }
    lowered.push_back(lower(row, row.precisions.front(), model.graph, table));
    if (calibrates(row)) calibrated_on = std::move(table);  // every row on the same images
    report.runs.push_back(std::move(run));
  }
  return lowered;
}

Report measure_network(const Options& options, const std::string& name, std::vector<std::string>& journals) {
  const LoadedModel model = load_model(options);
  const LoadedData data = load_data(options, *model.spec);
  if (!data.images) fail("{}", data.missing);
  check_images_left(options, data);
  Report report = start_report(options, model);
  Progress progress;
  progress.show(name);
  CalibrationTable calibrated_on;
  const std::vector<Graph> lowered = lower_rows(options, model, data, name, progress, report, calibrated_on);
  const JudgedSet judged = judged_set(options, data, calibrated_on);
  if (report.calibration) report_left_out(judged, *report.calibration);
  journals.push_back(measure_accuracy(options, model, data, judged, lowered, progress, report));
  try {
    if (!report.interrupted && options.mode == "both") measure_speed(options, model, data, lowered, progress, report);
  } catch (const Interrupted&) {  // the accuracy is there
    report.interrupted = true;
  }
  report.device_description = device_description(report.runs.front().device);
  add_warnings(options, data, report);
  add_notes(options, data, report);
  return report;
}

// The networks asked for: one, one network's widths, or all of them but the toy.
std::vector<Options> network_options(const Options& options) {
  std::vector<Options> result;
  for (const ModelSpec& spec : models()) {
    if (options.model.empty() ? spec.name == "demo" : spec.name != options.model) continue;
    for (const double alpha : spec.alphas) {
      if (options.alpha && *options.alpha != alpha) continue;
      Options network = options;
      network.model = spec.name;
      if (spec.alphas.size() > 1) network.alpha = alpha;
      result.push_back(std::move(network));
    }
  }
  return result;
}

TableNetwork table_network(const Options& options, std::vector<std::string>& journals) {
  const ModelSpec& spec = find_model(options.model);
  TableNetwork network;
  network.name = options.alpha ? fmt::format("{} {:g}", spec.name, *options.alpha) : spec.name;
  if (spec.weight_files) network.weight_files = spec.weight_files({.alpha = options.alpha.value_or(1), .variant = ""});
  const bool looked_for = options.weights.empty() && !options.demo();
  if (looked_for && !find_file(network.weight_files)) {
    network.missing = fmt::format("the weight file {} is not at hand; it is published at {}",
                                  fmt::join(network.weight_files, " or "), spec.published_at);
    return network;
  }
  network.report = measure_network(options, network.name, journals);
  return network;
}

int finish(const Options& options, const TableReport& table, const std::vector<std::string>& journals) {
  std::vector<std::string> problems = write_results({{options.markdown, [&] { return to_markdown(table); }},
                                                     {options.json, [&] { return to_json(table); }},
                                                     {options.html, [&] { return to_html(table); }}});
  if (!prints_form(options)) print_lines(to_text(table));
  for (const TableNetwork& network : table.networks) {
    if (!network.report) continue;
    const std::vector<std::string>& errors = network.report->output_errors;
    problems.insert(problems.begin(), errors.begin(), errors.end());
  }
  for (const std::string& problem : problems) print_error(problem);
  const bool resumable = std::any_of(journals.begin(), journals.end(), [](const std::string& j) { return !j.empty(); });
  if (table.interrupted && resumable) print_note(kResumeNote);
  if (!problems.empty()) return exit_status(ExitCode::kRuntime);
  if (table.interrupted) return exit_status(ExitCode::kInterrupted);
  const bool valid = std::all_of(table.networks.begin(), table.networks.end(), [](const TableNetwork& network) {
    return !network.report || network.report->valid();
  });
  if (!valid) return exit_status(ExitCode::kInvalidMeasurement);
  for (const std::string& journal : journals) forget_journal(journal);
  return exit_status(ExitCode::kOk);
}

bool any_measured(const TableReport& table) {
  return std::any_of(table.networks.begin(), table.networks.end(),
                     [](const TableNetwork& network) { return network.report.has_value(); });
}

}  // namespace

int table(const Options& options) {
  const std::vector<Options> networks = network_options(options);
  if (networks.empty()) load_model(options);  // a network or a width that there is not: throws what is wrong with it
  TableReport table;
  table.tool = tool_info();
  table.host = host_info();
  table.command = options.command_line;
  std::vector<std::string> journals;
  std::string failure;  // of a network behind others that were measured: they are not lost
  for (const Options& network : networks) {
    try {
      table.networks.push_back(table_network(network, journals));
      table.interrupted = table.networks.back().report && table.networks.back().report->interrupted;
    } catch (const Interrupted&) {
      if (!any_measured(table)) throw;
      table.interrupted = true;
    } catch (const Error& error) {
      if (!any_measured(table)) throw;
      failure = error.what();
    }
    if (table.interrupted || !failure.empty()) break;
  }
  if (any_measured(table)) {
    const int code = finish(options, table, failure.empty() ? journals : std::vector<std::string>{});
    if (failure.empty()) return code;
    print_error(failure);
    return exit_status(ExitCode::kRuntime);
  }
  fail("none of the weight files is in {}; `gpu_eval list models` names them and where they are published",
       searched_places());
}

}  // namespace gpueval::cli
