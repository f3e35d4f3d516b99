// SPDX-License-Identifier: Apache-2.0
// `gpu_eval table`, and a measurement of several networks.
#include "cli/networks.h"

#include "cli/commands.h"
#include "cli/ending.h"
#include "cli/progress.h"
#include "gpueval/report.h"
#include "program/terminal.h"

namespace gpueval::cli {
namespace {

ExitCode end_table(const Options& o, const TableReport& table) {
  Ending ending{.files = forms_of(o, table), .text = to_text(table), .interrupted = table.interrupted};
  ending.files.insert(ending.files.begin(), {o.markdown, [&] { return to_markdown(table); }});
  bool resumable = false;
  for (const TableNetwork& network : table.networks) {
    if (!network.report) continue;
    const Report& report = *network.report;
    ending.measured.push_back(&report);
    ending.problems.insert(ending.problems.begin(), report.output_errors.begin(), report.output_errors.end());
    ending.valid = ending.valid && report.valid();
    resumable = resumable || !report.journal.empty();
    if (o.per_layer) ending.text += '\n' + network.name + '\n' + to_layer_tables(report);
  }
  if (!table.failure.empty()) ending.problems.push_back(table.failure);
  const ExitCode code = finish(o, ending);
  if (table.interrupted && resumable) print_note(kResumeNote);
  return code;
}

}  // namespace

ExitCode run_networks(const Options& o, const std::vector<Plan>& plans) {
  TableReport table = with_progress([&](Observer& observer) { return measure_networks(plans, observer); });
  table.command = o.command_line;
  for (TableNetwork& network : table.networks) {
    if (network.report) network.report->command = o.command_line;
  }
  return end_table(o, table);
}

// The rows depend on the network: whether it has depthwise layers.
ExitCode run_table(const Options& o) {
  std::vector<Plan> plans = plans_of_each(o);
  for (Plan& plan : plans) {
    plan.accuracy->required = true;
    plan.rows = research_rows(network_shape(plan.model), o.row.kernel);
  }
  return run_networks(o, plans);
}

}  // namespace gpueval::cli
