// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <iterator>
#include <utility>

#include "cpu/engine.h"
#include "cuda/engine/engine.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

struct Backend {
  std::string name;
  std::unique_ptr<Engine> (*make)(Graph, const EngineOptions&);
  DeviceInfo (*info)();
  std::vector<KernelInfo> (*kernels)();
};

const std::vector<Backend>& backends() {
  static const std::vector<Backend> table = {
#define GPUEVAL_DEVICE(name, make, info, kernels) {name, make, info, kernels},
#include "eval/devices.inc"
#undef GPUEVAL_DEVICE
  };
  return table;
}

[[noreturn]] void fail_device(const std::string& message) { throw Error(message, ErrorKind::kDevice); }

const Backend& choose(const std::string& device) {
  std::vector<std::string> names{"auto"};
  for (const Backend& backend : backends()) {
    names.push_back(backend.name);
    if (device != "auto" && device != backend.name) continue;
    const DeviceInfo info = backend.info();
    if (info.usable && (info.automatic || device != "auto")) return backend;
    if (device == backend.name) fail_device(fmt::format("device '{}' is not usable: {}", device, info.description));
  }
  fail_device(fmt::format("no device '{}' in this build; it has: {}", device, fmt::join(names, ", ")));
}

}  // namespace

std::vector<DeviceInfo> devices() {
  std::vector<DeviceInfo> result;
  for (const Backend& backend : backends()) result.push_back(backend.info());
  return result;
}

std::vector<KernelInfo> kernels() {
  std::vector<KernelInfo> result;
  for (const Backend& backend : backends()) {
    std::vector<KernelInfo> rows = backend.kernels();
    result.insert(result.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  }
  return result;
}

std::string chosen_device(const std::string& device) { return choose(device).name; }

std::unique_ptr<Engine> make_engine(const std::string& device, Graph lowered, const EngineOptions& options) {
  return choose(device).make(std::move(lowered), options);
}

}  // namespace gpueval
