// SPDX-License-Identifier: Apache-2.0
// gpueval/selftest.h for the devices of this backend.
#include <algorithm>

#include "cuda/select/tuning_cache.h"
#include "cuda/selftest/record.h"
#include "cuda/selftest/selftest.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

cuda::Runtime& runtime_of(const std::string& device) {
  if (device == "emu") return cuda::emu_runtime();
  if (device != "cuda") fail_usage("--device {}: the self-test is for the devices cuda and emu", device);
  std::string why;
  cuda::Runtime* runtime = cuda::gpu_runtime(&why);
  if (runtime == nullptr) throw Error(fmt::format("device 'cuda' is not usable: {}", why), ErrorKind::kDevice);
  return *runtime;
}

cuda::SelftestRecord record_of(const cuda::Runtime& runtime) {
  return {cuda::default_selftest_path(),
          cuda::tuning_key(runtime.properties(), runtime.conv_kernels(), cuda::build_revision())};
}

}  // namespace

std::size_t SelftestResult::failed() const {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [](const SelftestRow& row) { return !row.failure.empty(); }));
}

std::vector<std::string> selftest_kernels(const std::string& device) {
  cuda::Runtime& runtime = runtime_of(device);
  return cuda::selftest_names(runtime, runtime.conv_kernels());
}

std::vector<std::string> untested_kernels(const std::string& device) {
  std::vector<std::string> names = selftest_kernels(device);
  const cuda::SelftestRecord record = record_of(runtime_of(device));
  std::erase_if(names, [&](const std::string& name) { return record.tested(name); });
  return names;
}

SelftestResult run_selftest(const SelftestOptions& options) {
  const cuda::Runtime& runtime = runtime_of(options.device);
  SelftestResult result{.device = runtime.properties().name, .driver = runtime.properties().driver};
  result.rows = cuda::watch_kernels(options);
  cuda::SelftestRecord record = record_of(runtime);
  for (const SelftestRow& row : result.rows) record.store(row.name, row.failure);
  record.save();
  result.notes = record.notes();
  return result;
}

void serve_selftest(const std::string& device, const std::vector<std::string>& kernels,
                    const std::function<void(const std::string& line)>& say) {
  cuda::Runtime& runtime = runtime_of(device);
  cuda::test_kernels(runtime, runtime.conv_kernels(), kernels, say);
}

}  // namespace gpueval
