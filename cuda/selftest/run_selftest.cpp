// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cuda/runtime/tables.h"
#include "cuda/select/tuning_cache.h"
#include "cuda/selftest/record.h"
#include "cuda/selftest/selftest.h"

namespace gpueval {

std::size_t SelftestResult::failed() const {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [](const SelftestRow& row) { return !row.failure.empty(); }));
}

namespace cuda {
namespace {

SelftestRecord record_of(const Runtime& runtime) {
  return {default_selftest_path(), tuning_key(runtime.properties(), conv_kernels_of(runtime), build_revision())};
}

}  // namespace

std::vector<std::string> selftest_kernels(Runtime& runtime) {
  return selftest_names(runtime, conv_kernels_of(runtime));
}

std::vector<std::string> untested_kernels(Runtime& runtime) {
  std::vector<std::string> names = selftest_kernels(runtime);
  const SelftestRecord record = record_of(runtime);
  std::erase_if(names, [&](const std::string& name) { return record.tested(name); });
  return names;
}

SelftestResult run_selftest(const Runtime& runtime, const SelftestOptions& options) {
  SelftestResult result{.device = runtime.properties().name, .driver = runtime.properties().driver};
  result.rows = watch_kernels(options);
  SelftestRecord record = record_of(runtime);
  for (const SelftestRow& row : result.rows) record.store(row.name, row.failure);
  record.save();
  result.notes = record.notes();
  return result;
}

}  // namespace cuda
}  // namespace gpueval
