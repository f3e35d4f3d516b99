// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/terminal.h"
#include "gpueval/error.h"
#include "gpueval/report.h"

namespace gpueval::cli {
namespace {

void define_compare(CLI::App& app, Options& o) {
  app.add_option("A.json B.json", o.positional, "two results of --json");
}

void check_compare(const CLI::App&, Options& o) {
  if (o.positional.size() != 2) fail_usage("compare: expected two result files, A.json B.json");
}

int run_compare(const Options& o) {
  print_lines(compare_results(o.positional[0], o.positional[1]));
  return 0;
}

}  // namespace

const Command kCompare{"compare",      "two results side by side",
                       define_compare, check_compare,
                       run_compare,    "  gpu_eval compare before.json after.json"};

}  // namespace gpueval::cli
