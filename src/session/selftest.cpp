// SPDX-License-Identifier: Apache-2.0
#include "gpueval/selftest.h"

#include <fmt/format.h>

#include <chrono>

#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "gpueval/session.h"

namespace gpueval {

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
