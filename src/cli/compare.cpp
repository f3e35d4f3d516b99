// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "gpueval/error.h"
#include "gpueval/report.h"
#include "program/terminal.h"

namespace gpueval::cli {

ExitCode run_compare(const Options& o) {
  if (o.positional.size() != 2) fail_usage("compare: expected two result files, A.json B.json");
  print_lines(compare_results(o.positional[0], o.positional[1]));
  return ExitCode::kOk;
}

}  // namespace gpueval::cli
