// SPDX-License-Identifier: Apache-2.0
// The devices `cuda` and `emu`: one engine over either Runtime.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cuda/runtime/runtime.h"
#include "cuda/select/selector.h"
#include "gpueval/engine.h"

namespace gpueval::cuda {

// What only this backend's tests and benchmarks choose; the defaults are what the two devices use.
struct DeviceEngineOptions {
  SelectorOptions selector;
  int max_lanes = 4;  // parallel branches, with EngineOptions::cuda_graph
};
std::unique_ptr<Engine> make_device_engine(Runtime& runtime, std::string device, Graph lowered,
                                           const EngineOptions& options, const DeviceEngineOptions& device_options);

// Rows of src/eval/devices.inc.
std::unique_ptr<Engine> make_gpu_engine(Graph lowered, const EngineOptions& options);
DeviceInfo gpu_device();
std::vector<KernelInfo> gpu_kernels();
std::unique_ptr<Engine> make_emu_engine(Graph lowered, const EngineOptions& options);
DeviceInfo emu_device();
std::vector<KernelInfo> emu_kernels();

}  // namespace gpueval::cuda
