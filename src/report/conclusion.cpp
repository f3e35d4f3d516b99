// SPDX-License-Identifier: Apache-2.0
#include "report/conclusion.h"

#include <fmt/format.h>

#include <cmath>

#include "report/cells.h"
#include "task/statistics.h"

namespace gpueval {

namespace {

std::string significance(const PairedComparison& paired) {
  if (!paired.p) {
    const Interval& ci = paired.diff_ci95;
    return fmt::format("95% interval {:+.2f} to {:+.2f}: {}a significant difference at 5%", 100 * ci.low, 100 * ci.high,
                       ci.low <= 0 && ci.high >= 0 ? "not " : "");
  }
  const std::string text = p_value_text(*paired.p);
  return fmt::format("p {}{}: {}a significant difference at 5%", text.starts_with('<') ? "" : "= ", text,
                     *paired.p < 0.05 ? "" : "not ");
}

}  // namespace

std::string conclusion(const Task& task, const RunReport& run, const RunReport& first) {
  std::string text;
  if (run.vs_first) {
    const double points = 100 * run.vs_first->diff;
    const std::string metric = task.metric_names().front();
    text = points == 0 ? fmt::format("the same {} as {}", metric, first.label())
                       : fmt::format("{:.1f} points {} {} than {}", std::abs(points), points < 0 ? "lower" : "higher",
                                     metric, first.label());
    text += fmt::format(" ({})", significance(*run.vs_first));
  }
  if (run.speed && run.speed->vs_first && !run.emulated()) {
    const double ratio = run.speed->vs_first->ratio;
    if (!text.empty()) text += ", ";
    text += fmt::format("{:.{}f} times the images/s", ratio, ratio < 1 ? 2 : 1);
    if (!run.vs_first) text += " of " + first.label();
    text += doubt(run).empty() ? doubt(first) : doubt(run);
  }
  return text.empty() ? text : fmt::format("{}: {}.", run.label(), text);
}

}  // namespace gpueval
