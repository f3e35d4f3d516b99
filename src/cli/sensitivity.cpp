// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/ending.h"
#include "cli/progress.h"
#include "gpueval/report.h"

namespace gpueval::cli {

ExitCode run_sensitivity(const Options& o) {
  SensitivityReport report =
      with_progress([&](Observer& observer) { return measure_sensitivity(settle_plan(o), o.sensitivity, observer); });
  report.command = o.command_line;
  return finish(o, {.files = forms_of(o, report),
                    .text = to_text(report),
                    .interrupted = report.interrupted,
                    .valid = report.valid()});
}

}  // namespace gpueval::cli
