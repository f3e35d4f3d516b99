// SPDX-License-Identifier: Apache-2.0
// The devices `cuda` and `emu` as the rest of the program sees them.
#include <fmt/format.h>

#include <limits>
#include <span>
#include <utility>

#include "cuda/engine/engine.h"
#include "cuda/library/baselines.h"
#include "cuda/runtime/tables.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

std::string capability(int sm) { return fmt::format("{}.{}", sm / 10, sm % 10); }

// Of one kind of GPU, not of all newer ones.
bool is_specific(const ConvKernel& row) { return row.max_sm < std::numeric_limits<int>::max(); }

const char* op_text(ConvOp op) {
  switch (op) {
    case ConvOp::kConvFirst:
      return "conv2d of few channels";
    case ConvOp::kDepthwise:
      return "depthwise";
    case ConvOp::kConv:
      break;
  }
  return "conv2d, dense";
}

// sm: of the device, 0 for none.
std::vector<KernelInfo> kernel_infos(const std::string& device, std::span<const ConvKernel> kernels, int sm) {
  std::vector<KernelInfo> rows;
  for (const ConvKernel& row : kernels) {
    rows.push_back({.name = row.name,
                    .device = device,
                    .op = op_text(row.op),
                    .types = "u8/s8 x s8",
                    .isa = fmt::format("sm_{}{}", row.min_sm, is_specific(row) ? "a" : ""),
                    .usable = row.runs_on(sm)});
  }
  rows.push_back({.name = "conv_float",
                  .device = device,
                  .op = "conv2d, dense, depthwise",
                  .types = "f32, f16",
                  .isa = "sm_75",
                  .usable = sm > 0});
  return rows;
}

}  // namespace

std::unique_ptr<Engine> make_gpu_engine(Graph lowered, const EngineOptions& options) {
  std::string why;
  Runtime* runtime = gpu_runtime(&why);
  if (runtime == nullptr) throw Error(why, ErrorKind::kDevice);
  const SelectorOptions selector{.forced = options.kernel,
                                 .timed = true,
                                 .cache_path = default_tuning_path(),
                                 .selftest_path = default_selftest_path()};
  return make_device_engine(*runtime, "cuda", std::move(lowered), options, {.selector = selector});
}

DeviceInfo gpu_device() {
  DeviceInfo info{.name = "cuda"};
  const Runtime* runtime = gpu_runtime(&info.description);
  if (runtime == nullptr) return info;
  const DeviceProperties& p = runtime->properties();
  info.usable = true;
  info.description = fmt::format("{}, compute capability {}, {} multiprocessors, {:.1f} GiB; driver for CUDA {}",
                                 p.name, capability(p.sm), p.multiprocessors,
                                 static_cast<double>(p.memory_bytes) / (std::size_t{1} << 30), p.driver);
  info.description += "; " + library_description();
  return info;
}

std::vector<KernelInfo> gpu_kernels() {
  const Runtime* runtime = gpu_runtime(nullptr);
  if (runtime == nullptr) return kernel_infos("cuda", emu::conv_kernels(), 0);
  return kernel_infos("cuda", runtime->conv_kernels(), runtime->properties().sm);
}

std::unique_ptr<Engine> make_emu_engine(Graph lowered, const EngineOptions& options) {
  return make_device_engine(emu_runtime(), "emu", std::move(lowered), options,
                            {.selector = {.forced = options.kernel, .selftest_path = default_selftest_path()}});
}

DeviceInfo emu_device() {
  return {.name = "emu",
          .usable = true,
          .description = fmt::format("the CUDA kernels on this CPU, {} threads: exact, slow, times mean nothing",
                                     gpueval::threads()),
          .automatic = false};
}

std::vector<KernelInfo> emu_kernels() {
  return kernel_infos("emu", emu::conv_kernels(), emu_runtime().properties().sm);
}

}  // namespace gpueval::cuda
