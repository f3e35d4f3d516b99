// SPDX-License-Identifier: Apache-2.0
// One run of gpu_bench: roofs first, then every case through Google Benchmark, then the tables.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "options.h"
#include "result.h"

namespace gpueval::bench {

// `rest`: Google Benchmark's own options. Progress goes to stderr. --list: only the rows, nothing measured.
// `save` gets what is known before the first row is timed, where its errors end the run, and then about every second,
// where they do not. A signal that the caller's StopSignal catches ends it after the row that runs, with what is there.
Result run_session(const Options& options, const std::vector<std::string>& rest, const std::string& command,
                   const std::function<void(const Result&)>& save);

}  // namespace gpueval::bench
