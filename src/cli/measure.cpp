// SPDX-License-Identifier: Apache-2.0
// `gpu_eval` without a command: accuracy and speed of a network, row by row.
#include "cli/commands.h"
#include "cli/ending.h"
#include "cli/networks.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "gpueval/report.h"
#include "program/terminal.h"

namespace gpueval::cli {
namespace {

ExitCode print_classes(const Options& o) {
  const Classification found =
      with_progress([&](Observer& observer) { return classify(unmeasured_plan(o), o.image, o.class_names, observer); });
  print_lines(to_text(found));
  return ExitCode::kOk;
}

Report measured(const Options& o) {
  Plan plan = settle_plan(o);
  if (!o.html.empty()) plan.gallery.emplace();
  Report report = with_progress([&](Observer& observer) { return measure(plan, observer); });
  report.command = o.command_line;
  if (report.interrupted && !report.journal.empty()) report.notes.emplace_back(kResumeNote);
  return report;
}

}  // namespace

ExitCode run_measure(const Options& o) {
  if (!o.image.empty()) return print_classes(o);
  if (o.models.size() > 1) return run_networks(o, plans_of_each(o));
  const Report report = measured(o);
  Ending ending{.files = forms_of(o, report),
                .text = to_table(report) + (o.per_layer ? to_layer_tables(report) : ""),
                .problems = report.output_errors,
                .interrupted = report.interrupted,
                .valid = report.valid(),
                .measured = {&report}};
  bool passed = true;
  if (o.reference_accuracy && !report.interrupted) {
    const AccuracyGate gate = accuracy_gate(report, *o.reference_accuracy - o.threshold_points / 100);
    passed = gate.passed;
    if (prints_form(o)) ending.notes.push_back(gate.sentence);
    ending.text += gate.sentence + '\n';
  }
  const ExitCode code = finish(o, ending);
  return code == ExitCode::kOk && !passed ? ExitCode::kAccuracyGate : code;
}

}  // namespace gpueval::cli
