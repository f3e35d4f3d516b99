// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.h"
#include "gpueval/report.h"

namespace gpueval::cli {

int compare(const Options& options) {
  fmt::print("{}", compare_results(options.compare_a, options.compare_b));
  return 0;
}

}  // namespace gpueval::cli
