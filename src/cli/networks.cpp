// SPDX-License-Identifier: Apache-2.0
// `gpu_eval table`, and a measurement of several networks.
#include "cli/networks.h"

#include <algorithm>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/option_groups.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "gpueval/report.h"

namespace gpueval::cli {
namespace {

int finish(const Options& o, const TableReport& table) {
  std::vector<std::string> problems = write_results({{o.markdown, [&] { return to_markdown(table); }},
                                                     {o.json, [&] { return to_json(table); }},
                                                     {o.html, [&] { return to_html(table); }}});
  if (!prints_form(o)) print_lines(to_text(table));
  bool valid = true, resumable = false;
  for (const TableNetwork& network : table.networks) {
    if (!network.report) continue;
    const Report& report = *network.report;
    problems.insert(problems.begin(), report.output_errors.begin(), report.output_errors.end());
    valid = valid && report.valid();
    resumable = resumable || !report.journal.empty();
    if (o.per_layer && !prints_form(o)) print_lines('\n' + network.name + '\n' + to_layer_tables(report));
  }
  if (!table.failure.empty()) problems.push_back(table.failure);
  const ExitCode code = outcome(problems, table.interrupted, valid);
  if (table.interrupted && resumable) print_note(kResumeNote);
  if (code != ExitCode::kOk || lost_output() != 0 || StopSignal::raised()) return exit_status(code);
  for (const TableNetwork& network : table.networks) {
    if (network.report) forget_journal(*network.report);
  }
  return exit_status(code);
}

void define_table(CLI::App& app, Options& o) {
  add_network(app, o);
  add_images(app, o);
  add_calibration_images(app, o);
  add_device(app, o);
  add_mode(app, o, {"accuracy", "both"});
  Section(app, "Device")
      .option("--batch", o.batches, "N", "images at once (speed: default 1, accuracy: 16)")
      ->check(whole(1, 4096));
  add_limit(app, o);
  add_resume(app, o);
  add_timing(app, o);
  add_results(app, o, "table-schema.json");
  Section(app, "Result").option("--markdown", o.markdown, "F", "write it as Markdown; - prints that");
}

void check_table(const CLI::App& app, Options& o) {
  refuse_timing(app, o);
  need_one_batch(o, "table");
  if (o.models.empty()) {
    for (const char* option : {"--alpha", "--weights"}) refuse_option(o, option, "table without --model");
  }
  check_device(o);
}

// The rows depend on the network: whether it has depthwise layers.
std::vector<Plan> research_plans(const Options& o) {
  std::vector<Plan> plans;
  for (Plan& plan : plans_of_each(o)) {
    plan.accuracy->required = true;
    plan.rows = research_rows(network_shape(plan.model));
    for (Row& row : plan.rows) row.kernel = o.kernel;
    plans.push_back(std::move(plan));
  }
  return plans;
}

int run_table(const Options& o) { return run_networks(o, research_plans(o)); }

}  // namespace

std::vector<Plan> plans_of_each(const Options& o) {
  Plan plan = settle_plan(o);
  std::vector<Plan> plans;
  for (const std::string& name : o.models.empty() ? std::vector<std::string>{""} : o.models) {
    set_network(plan.model, name);
    for (Plan& network : plan_each_network(plan)) plans.push_back(std::move(network));
  }
  return plans;
}

int run_networks(const Options& o, const std::vector<Plan>& plans) {
  TableReport table;
  {
    Progress progress;
    table = measure_networks(plans, progress);
  }
  table.command = o.command_line;
  for (TableNetwork& network : table.networks) {
    if (network.report) network.report->command = o.command_line;
  }
  return finish(o, table);
}

const Command kTable{"table",
                     "every network in float32, as the original research quantized it, maxabs and best",
                     define_table,
                     check_table,
                     run_table,
                     R"(  gpu_eval table --markdown - --html table.html     every network whose weights are at hand
  gpu_eval table --model mobilenet --limit 5000     its four widths
  gpu_eval table --model demo                       needs no file)",
                     true};

}  // namespace gpueval::cli
