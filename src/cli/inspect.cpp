// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "gpueval/error.h"
#include "gpueval/keras.h"
#include "gpueval/report.h"
#include "program/terminal.h"

namespace gpueval::cli {

ExitCode run_inspect(const Options& o) {
  if (o.positional.size() != 1) fail_usage("inspect: expected one file, found {}", o.positional.size());
  print_lines(to_text(import_keras(o.positional.front(), {.input = o.plan.model.input, .weights = false})));
  return ExitCode::kOk;
}

}  // namespace gpueval::cli
