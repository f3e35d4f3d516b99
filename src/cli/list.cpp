// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "core/near_miss.h"
#include "gpueval/error.h"
#include "gpueval/report.h"
#include "program/terminal.h"

namespace gpueval::cli {

ExitCode run_list(const Options& o) {
  const std::string wanted = o.positional.size() == 1 ? o.positional.front() : "";
  std::vector<std::string> names;
  for (const Listing& listing : listings()) {
    names.emplace_back(listing.name);
    if (wanted != listing.name) continue;
    print_lines(listing.text());
    return ExitCode::kOk;
  }
  fail_usage("list: expected models, layers, kernels, calibrators or devices{}",
             o.positional.empty() ? "" : did_you_mean(o.positional.front(), names));
}

}  // namespace gpueval::cli
