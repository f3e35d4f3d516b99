// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/options.h"
#include "program/exit_code.h"

namespace gpueval::cli {

// Measures them, writes and prints the table of all.
ExitCode run_networks(const Options& options, const std::vector<Plan>& plans);

}  // namespace gpueval::cli
