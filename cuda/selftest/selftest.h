// SPDX-License-Identifier: Apache-2.0
// The self-test's two processes. The one that tests says a line, JSON, when a kernel begins and one when it is done;
// the other one reads them, knows which kernel was under way when they end, and starts it again for those that are
// left.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cuda/runtime/runtime.h"
#include "cuda/runtime/tables.h"
#include "gpueval/selftest.h"

namespace gpueval::cuda {

// The rows that the device's compute capability allows, then operation_checks().
std::vector<std::string> selftest_names(Runtime& runtime, std::span<const ConvKernel> rows);

// gpueval/selftest.h for one device.
std::vector<std::string> selftest_kernels(Runtime& runtime);
std::vector<std::string> untested_kernels(Runtime& runtime);
SelftestResult run_selftest(const Runtime& runtime, const SelftestOptions& options);

using Say = std::function<void(const std::string& line)>;
void test_kernels(Runtime& runtime, std::span<const ConvKernel> rows, const std::vector<std::string>& names,
                  const Say& say);

// One row a name of options.kernels, in their order. Nothing is remembered.
std::vector<SelftestRow> watch_kernels(const SelftestOptions& options);

}  // namespace gpueval::cuda
