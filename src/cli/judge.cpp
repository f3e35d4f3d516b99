// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/ending.h"
#include "gpueval/report.h"

namespace gpueval::cli {

ExitCode run_judge(const Options& o) {
  Report report = judge_answers(o.judge);
  report.command = o.command_line;
  return finish(o, {.files = forms_of(o, report), .text = to_table(report)});
}

}  // namespace gpueval::cli
