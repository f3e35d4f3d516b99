// SPDX-License-Identifier: Apache-2.0
// The process that tests.
#include <algorithm>
#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>

#include "core/json_text.h"
#include "cuda/runtime/tables.h"
#include "cuda/selftest/check.h"
#include "cuda/selftest/selftest.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

CheckResult check(Runtime& runtime, std::span<const ConvKernel> rows, const std::string& name) {
  for (const ConvKernel& row : rows) {
    if (row.name == name) return check_conv_kernel(runtime, row);
  }
  for (const OperationCheck& row : operation_checks()) {
    if (row.name == name) return row.check(runtime, ops_of(runtime));
  }
  fail("there is no such kernel");
}

// After an illegal address or a trap every call of the process fails.
bool is_lost(Runtime& runtime) {
  try {
    const DeviceBuffer buffer(runtime, 1);
    runtime.fill(buffer.data(), 0, 1, {});
    runtime.synchronize(Stream{});
    return false;
  } catch (const Error&) {
    return true;
  }
}

}  // namespace

std::vector<std::string> selftest_names(Runtime& runtime, std::span<const ConvKernel> rows) {
  std::vector<std::string> names;
  for (const ConvKernel& row : rows) {
    if (row.runs_on(runtime.properties().sm)) names.emplace_back(row.name);
  }
  for (const OperationCheck& row : operation_checks()) names.emplace_back(row.name);
  return names;
}

void test_kernels(Runtime& runtime, std::span<const ConvKernel> rows, const std::vector<std::string>& names,
                  const Say& say) {
  using Clock = std::chrono::steady_clock;
  for (const std::string& name : names) {
    say(json_text(nlohmann::json{{"begins", name}}));
    const Clock::time_point begin = Clock::now();
    CheckResult result;
    bool lost = false;
    try {
      result = check(runtime, rows, name);
    } catch (const std::exception& error) {
      result.failure = error.what();
      lost = is_lost(runtime);
    }
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    say(json_text(nlohmann::json{{"done", name}, {"shapes", result.cases}, {"ms", ms}, {"failure", result.failure}}));
    if (lost) return;
  }
}

}  // namespace gpueval::cuda
