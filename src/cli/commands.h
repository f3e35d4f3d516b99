// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"

namespace gpueval::cli {

// Each returns the exit code; errors are thrown.
int measure(const Options& options);
int classify(const Options& options);  // --image
int calibrate(const Options& options);
int table(const Options& options);
int sensitivity(const Options& options);
int export_network(const Options& options);
int list(const Options& options);
int compare(const Options& options);
int selftest(const Options& options);

// Before kernels are chosen on a GPU: tests those that were not tested yet with its driver and this build.
void selftest_when_new(const Options& options);

// The whole program: parses, runs, prints errors as one line on stderr.
int run(int argc, const char* const* argv);

}  // namespace gpueval::cli
