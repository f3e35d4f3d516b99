// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/terminal.h"
#include "gpueval/report.h"

namespace gpueval::cli {

int compare(const Options& options) {
  print_lines(compare_results(options.compare_a, options.compare_b));
  return 0;
}

}  // namespace gpueval::cli
