// SPDX-License-Identifier: Apache-2.0
#include "report/conclusion.h"

#include <fmt/format.h>

#include <cmath>

#include "eval/statistics.h"
#include "report/cells.h"

namespace gpueval {

std::string conclusion(const RunReport& run, const RunReport& first) {
  std::string text;
  if (run.vs_first) {
    const double points = 100 * run.vs_first->top1_diff;
    const double p = run.vs_first->mcnemar_p;
    const std::string p_text = p_value_text(p);
    text = points == 0 ? fmt::format("the same top-1 as {}", first.label())
                       : fmt::format("{:.1f} points {} top-1 than {}", std::abs(points),
                                     points < 0 ? "lower" : "higher", first.label());
    text += fmt::format(" (p {}{}: {})", p_text.starts_with('<') ? "" : "= ", p_text,
                        p < 0.05 ? "a significant difference at 5%" : "not a significant difference at 5%");
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
