// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "gpueval/error.h"
#include "gpueval/report.h"

namespace gpueval {

AccuracyGate accuracy_gate(const Report& report, double least) {
  const auto last = std::find_if(report.runs.rbegin(), report.runs.rend(),
                                 [](const RunReport& run) { return run.accuracy.has_value(); });
  if (last == report.runs.rend()) fail("accuracy gate: no row of the result has an accuracy");
  const double found = last->accuracy->headline();
  const bool passed = found >= least;  // not where it is NaN
  return {passed,
          fmt::format("Accuracy gate {}: {} has {} {:.4f}, at least {:.4f} is asked for.", passed ? "passed" : "FAILED",
                      last->label(), last->accuracy->metrics.front().name, found, least)};
}

}  // namespace gpueval
