// SPDX-License-Identifier: Apache-2.0
#include "gpueval/selftest.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <regex>

#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "gpueval/session.h"

namespace gpueval {

std::vector<std::string> selftest_kernels(const std::string& device, const std::string& pattern) {
  const std::vector<std::string> all = selftest_kernels(device);
  std::vector<std::string> names;
  try {
    const std::regex wanted(pattern);
    std::copy_if(all.begin(), all.end(), std::back_inserter(names),
                 [&](const std::string& name) { return std::regex_search(name, wanted); });
  } catch (const std::regex_error&) {
    fail_usage("kernels {}: it is no regular expression", pattern);
  }
  if (names.empty()) fail_usage("kernels {}: none of {} has that in its name", pattern, fmt::join(all, ", "));
  return names;
}

SelftestResult test_kernels(const std::string& device, const std::vector<std::string>& kernels, Observer& observer) {
  observer.on_step(fmt::format("self-test of {} kernels on {}", kernels.size(), device));
  std::size_t begun = 0;
  constexpr std::chrono::seconds kOfGpu(20), kOfEmulator(600);
  return run_selftest({.device = device,
                       .kernels = kernels,
                       .command = {"/proc/self/exe", "selftest", "--device", device, "--worker"},
                       .kernel_limit = device_info(device).emulated ? kOfEmulator : kOfGpu,
                       .begins = [&](const std::string& kernel) {
                         observer.on_step(
                             fmt::format("self-test on {}: {} of {}, {}", device, ++begun, kernels.size(), kernel));
                       }});
}

void test_new_kernels(const std::string& asked, Observer& observer) {
  const DeviceInfo device = device_info(asked);
  if (!device.has_selftest || device.emulated) return;
  const std::vector<std::string> kernels = untested_kernels(device.name);
  if (kernels.empty()) return;
  try {
    const SelftestResult result = test_kernels(device.name, kernels, observer);
    for (const std::string& note : result.notes) observer.on_note(note);
    if (result.failed() > 0) {
      observer.on_note(fmt::format("{} of {} kernels failed their first test on {}; `gpu_eval selftest` has more",
                                   result.failed(), kernels.size(), result.device));
    }
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    observer.on_note(fmt::format("the kernels were not tested on this GPU: {}", error.what()));
  }
}

}  // namespace gpueval
