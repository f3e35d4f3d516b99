// SPDX-License-Identifier: Apache-2.0
// One run of gpu_bench: roofs first, then every case through Google Benchmark, then the tables.
#pragma once

#include "options.h"
#include "result.h"

namespace gpueval::bench {

// `rest`: Google Benchmark's own options. Progress goes to stderr. --list: only the rows, nothing measured.
Result run_session(const Options& options, const std::vector<std::string>& rest, const std::string& command);

}  // namespace gpueval::bench
