// SPDX-License-Identifier: Apache-2.0
// The backends `cuda` and `emu` as the rest of the program sees them.
#include "cuda/engine/backends.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "cuda/engine/engine.h"
#include "cuda/library/baselines.h"
#include "cuda/roof/device_roofs.h"
#include "cuda/runtime/tables.h"
#include "cuda/selftest/selftest.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

std::string capability(int sm) { return fmt::format("{}.{}", sm / 10, sm % 10); }

// Of one kind of GPU, not of all newer ones.
bool is_specific(const ConvKernel& row) { return row.max_sm < std::numeric_limits<int>::max(); }

const char* op_text(const ConvKernel& row) {
  switch (row.op) {
    case ConvOp::kConvFirst:
      return row.pools ? "conv2d of few channels, max pool" : "conv2d of few channels";
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
                    .op = op_text(row),
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

// "cuda", "cuda:1"
std::string gpu_name(int index) { return index == 0 ? "cuda" : fmt::format("cuda:{}", index); }

std::shared_ptr<Runtime> gpu(int index) {
  std::string why;
  std::shared_ptr<Runtime> runtime = open_gpu(index, &why);
  if (!runtime) throw Error(why, ErrorKind::kDevice);
  return runtime;
}

std::shared_ptr<Runtime> emulator(int) { return open_emulator(); }

std::string cudnn_version_text() {
  for (const LibraryInfo& library : library_infos()) {
    if (library.name == "cuDNN") return library.version;
  }
  return "";
}

DeviceInfo gpu_device(int index) {
  DeviceInfo info{.name = gpu_name(index),
                  .precisions = {kPrecisions.begin(), kPrecisions.end()},
                  .own_memory = true,
                  .captures_graphs = true,
                  .preprocesses = true,
                  .has_selftest = true};
  const std::shared_ptr<Runtime> runtime = open_gpu(index, &info.description);
  if (!runtime) return info;
  const DeviceProperties& p = runtime->properties();
  info.usable = true;
  info.description = fmt::format(
      "{}, compute capability {}, {} multiprocessors, {:.1f} GiB; driver for CUDA {}; {}", p.name, capability(p.sm),
      p.multiprocessors, static_cast<double>(p.memory_bytes) / (std::size_t{1} << 30), p.driver, library_description());
  info.facts = {
      .hardware = p.name, .driver = p.driver, .cuda = p.cuda, .cudnn = cudnn_version_text(), .bus_id = p.pci_bus_id};
  return info;
}

std::unique_ptr<Engine> make_gpu_engine(int index, Graph lowered, const EngineOptions& options) {
  const SelectorOptions selector{.forced = options.kernel,
                                 .timed = true,
                                 .cache_path = default_tuning_path(),
                                 .selftest_path = default_selftest_path()};
  return make_device_engine(gpu(index), gpu_name(index), std::move(lowered), options, {.selector = selector});
}

std::vector<KernelInfo> gpu_kernels() {
  const std::shared_ptr<Runtime> runtime = open_gpu(0, nullptr);
  if (!runtime) return kernel_infos("cuda", emu::conv_kernels(), 0);
  return kernel_infos("cuda", conv_kernels_of(*runtime), runtime->properties().sm);
}

DeviceRoofs gpu_roofs(int index) {
  const std::shared_ptr<Runtime> runtime = gpu(index);
  return device_roofs(measure_roofs(*runtime, {}), runtime->properties(), gpu_name(index));
}

DeviceInfo emu_device(int) {
  return {.name = "emu",
          .usable = true,
          .description = fmt::format("the CUDA kernels on this CPU, {} threads: exact, slow, times mean nothing",
                                     gpueval::threads()),
          .automatic = false,
          .precisions = {Precision::kFloat32, Precision::kFloat16, Precision::kInt8},  // TF32 is cuDNN's
          .own_memory = true,
          .captures_graphs = true,
          .preprocesses = true,
          .has_selftest = true,
          .emulated = true};
}

std::unique_ptr<Engine> make_emu_engine(int, Graph lowered, const EngineOptions& options) {
  return make_device_engine(open_emulator(), "emu", std::move(lowered), options,
                            {.selector = {.forced = options.kernel, .selftest_path = default_selftest_path()}});
}

std::vector<KernelInfo> emu_kernels() {
  return kernel_infos("emu", emu::conv_kernels(), open_emulator()->properties().sm);
}

template <std::shared_ptr<Runtime> (*open)(int index)>
constexpr SelftestPart kSelftest{
    .kernels = [](int index) { return selftest_kernels(*open(index)); },
    .untested = [](int index) { return untested_kernels(*open(index)); },
    .run = [](int index, const SelftestOptions& options) { return run_selftest(*open(index), options); },
    .serve =
        [](int index, const std::vector<std::string>& kernels, const Say& say) {
          const std::shared_ptr<Runtime> runtime = open(index);
          test_kernels(*runtime, conv_kernels_of(*runtime), kernels, say);
        }};

}  // namespace

const Backend& gpu_backend() {
  static constexpr Backend kRow{.name = "cuda",
                                .device_count = [] { return std::max(1, gpu_count(nullptr)); },
                                .device = gpu_device,
                                .make_engine = make_gpu_engine,
                                .kernels = gpu_kernels,
                                .kernel_parts = true,
                                .measure_roofs = gpu_roofs,
                                .selftest = &kSelftest<gpu>};
  return kRow;
}

// Without roofs: its times mean nothing.
const Backend& emu_backend() {
  static constexpr Backend kRow{.name = "emu",
                                .device_count = [] { return 1; },
                                .device = emu_device,
                                .make_engine = make_emu_engine,
                                .kernels = emu_kernels,
                                .kernel_parts = true,
                                .selftest = &kSelftest<emulator>};
  return kRow;
}

}  // namespace gpueval::cuda
