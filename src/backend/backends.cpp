// SPDX-License-Identifier: Apache-2.0
// The functions of gpueval/{engine,roofline,selftest}.h that ask a backend.
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "backend/backend.h"
#include "cpu/backend.h"
#include "cuda/engine/backends.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"

namespace gpueval {
namespace {

std::vector<const Backend*> backends() {
  return {
#define GPUEVAL_BACKEND(row) &row(),
#include "backend/backends.inc"
#undef GPUEVAL_BACKEND
  };
}

[[noreturn]] void fail_device(const std::string& message) { throw Error(message, ErrorKind::kDevice); }

struct Device {
  const Backend& backend;
  int index;
  DeviceInfo info() const { return backend.device(index); }
};

// "cuda:1" -> 1, "cuda" -> 0; nothing for a text that is neither.
std::optional<int> index_of(const std::string& device, const std::string& backend) {
  if (device == backend) return 0;
  if (!device.starts_with(backend + ":")) return std::nullopt;
  const char *first = device.data() + backend.size() + 1, *last = device.data() + device.size();
  int index = 0;
  const auto [end, error] = std::from_chars(first, last, index);
  return error == std::errc() && end == last && index >= 0 ? std::optional(index) : std::nullopt;
}

// The one place where a device's name is read.
Device parse_device(const std::string& device) {
  for (const Backend* backend : backends()) {
    const std::optional<int> index = index_of(device, backend->name);
    if (index && *index < backend->device_count()) return {*backend, *index};
  }
  std::vector<std::string> names{"auto"};
  for (const DeviceInfo& info : devices()) names.push_back(info.name);
  fail_device(fmt::format("there is no device '{}' here; there are: {}", device, fmt::join(names, ", ")));
}

Device choose(const std::string& device) {
  if (device != "auto") {
    const Device chosen = parse_device(device);
    const DeviceInfo info = chosen.info();
    if (!info.usable) fail_device(fmt::format("device '{}' is not usable: {}", device, info.description));
    return chosen;
  }
  for (const Backend* backend : backends()) {
    for (int i = 0; i < backend->device_count(); ++i) {
      const DeviceInfo info = backend->device(i);
      if (info.usable && info.automatic) return {*backend, i};
    }
  }
  fail_device("no device of this machine is usable");
}

struct SelftestOf {
  const SelftestPart& part;
  int index;
};

SelftestOf selftest_of(const std::string& device) {
  const Device chosen = choose(device);
  if (chosen.backend.selftest != nullptr) return {*chosen.backend.selftest, chosen.index};
  std::vector<std::string> names;
  for (const DeviceInfo& info : devices()) {
    if (info.has_selftest) names.push_back(info.name);
  }
  fail_usage("the device {} has no self-test; those that have one: {}", device, fmt::join(names, ", "));
}

}  // namespace

std::vector<DeviceInfo> devices() {
  std::vector<DeviceInfo> result;
  for (const Backend* backend : backends()) {
    for (int i = 0; i < backend->device_count(); ++i) result.push_back(backend->device(i));
  }
  return result;
}

std::vector<KernelInfo> kernels() {
  std::vector<KernelInfo> result;
  for (const Backend* backend : backends()) {
    std::vector<KernelInfo> rows = backend->kernels();
    result.insert(result.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  }
  return result;
}

void check_kernel(const std::string& device, const std::string& kernel) {
  const Backend& backend = choose(device).backend;
  std::vector<std::string> names;
  for (const KernelInfo& row : backend.kernels()) {
    const bool part = backend.kernel_parts && row.name.find(kernel) != std::string::npos;
    if (row.name == kernel || row.isa == kernel || part) return;
    names.push_back(row.name);
  }
  fail_usage("kernel {}: the device {} has no such kernel or instruction set; it has {}", kernel, backend.name,
             fmt::join(names, ", "));
}

DeviceInfo device_info(const std::string& device) { return choose(device).info(); }

std::unique_ptr<Engine> make_engine(const std::string& device, Graph lowered, const EngineOptions& options) {
  const Device chosen = choose(device);
  return chosen.backend.make_engine(chosen.index, std::move(lowered), options);
}

Executor executor_of(const std::string& device) {
  const Device chosen = choose(device);
  const Backend& backend = chosen.backend;
  if (backend.make_node_runner == nullptr) fail_usage("the device {} does not run single layers", device);
  return {.make_engine =
              [&backend, index = chosen.index](Graph lowered, const EngineOptions& options) {
                return backend.make_engine(index, std::move(lowered), options);
              },
          .make_node_runner = backend.make_node_runner,
          .isa = chosen.info().facts.isa};
}

DeviceRoofs measure_roofs(const std::string& device) {
  const Device chosen = choose(device);
  if (chosen.backend.measure_roofs == nullptr) return {};
  return chosen.backend.measure_roofs(chosen.index);
}

std::vector<std::string> selftest_kernels(const std::string& device) {
  const SelftestOf selftest = selftest_of(device);
  return selftest.part.kernels(selftest.index);
}

std::vector<std::string> untested_kernels(const std::string& device) {
  const SelftestOf selftest = selftest_of(device);
  return selftest.part.untested(selftest.index);
}

SelftestResult run_selftest(const SelftestOptions& options) {
  const SelftestOf selftest = selftest_of(options.device);
  return selftest.part.run(selftest.index, options);
}

void serve_selftest(const std::string& device, const std::vector<std::string>& kernels,
                    const std::function<void(const std::string& line)>& say) {
  const SelftestOf selftest = selftest_of(device);
  selftest.part.serve(selftest.index, kernels, say);
}

}  // namespace gpueval
