// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/options.h"

namespace gpueval::cli {

// A plan for each of --model's names.
std::vector<Plan> plans_of_each(const Options& options);
// Measures them, writes and prints the table of all; the exit status.
int run_networks(const Options& options, const std::vector<Plan>& plans);

}  // namespace gpueval::cli
