// SPDX-License-Identifier: Apache-2.0
// The devices `cuda` and `emu`: one engine over either Runtime.
#pragma once

#include <memory>
#include <string>

#include "cuda/runtime/runtime.h"
#include "cuda/select/selector.h"
#include "gpueval/engine.h"

namespace gpueval::cuda {

// What only this backend's tests and benchmarks choose; the defaults are what the two devices use.
struct DeviceEngineOptions {
  SelectorOptions selector;
  int max_lanes = 4;            // parallel branches, with EngineOptions::cuda_graph
  std::size_t cache_bytes = 0;  // of the second level, in place of the device's own; 0: that
};
std::unique_ptr<Engine> make_device_engine(std::shared_ptr<Runtime> runtime, std::string device, Graph lowered,
                                           const EngineOptions& options, const DeviceEngineOptions& device_options);

}  // namespace gpueval::cuda
