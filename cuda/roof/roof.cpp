// SPDX-License-Identifier: Apache-2.0
#include "cuda/roof/roof.h"

#include <algorithm>

#include "core/random.h"
#include "cuda/runtime/handles.h"
#include "cuda/runtime/runtime.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

constexpr std::size_t kOperandWords = 256;
constexpr double kRunSeconds = 1e-3;  // long against the resolution of events, short against thermal changes
constexpr int kLeastRuns = 5;

// Device time of one launch.
class Timer {
 public:
  explicit Timer(Runtime& runtime)
      : runtime_(runtime), stream_(make_stream(runtime)), begin_(make_event(runtime)), end_(make_event(runtime)) {}
  Stream stream() const { return stream_.get(); }
  double seconds(const RoofKernel& kernel, const RoofArgs& args) {
    runtime_.record(begin_.get(), stream());
    kernel.launch(args, stream());
    runtime_.record(end_.get(), stream());
    runtime_.synchronize(stream());
    return runtime_.seconds(begin_.get(), end_.get());
  }

 private:
  Runtime& runtime_;
  StreamHandle stream_;
  EventHandle begin_, end_;
};

double best_seconds(Timer& timer, const RoofKernel& kernel, const RoofArgs& args, double budget) {
  double best = timer.seconds(kernel, args), total = best;
  for (int run = 1; run < kLeastRuns || total < budget; ++run) {
    const double elapsed = timer.seconds(kernel, args);
    best = std::min(best, elapsed);
    total += std::max(elapsed, 1e-6);  // ends even where a clock stands still
  }
  return best;
}

double loop_rate(Runtime& runtime, Timer& timer, const RoofKernel& kernel, const RoofOptions& options,
                 unsigned blocks) {
  std::vector<std::uint32_t> words(kOperandWords);
  Random random(1);
  for (auto& word : words) word = static_cast<std::uint32_t>(random.next());
  const DeviceBuffer src(runtime, kOperandWords * sizeof(std::uint32_t));
  const std::size_t threads = std::size_t{blocks} * kRoofThreads;
  const DeviceBuffer dst(runtime, threads * sizeof(float));
  runtime.copy_to_device(src.data(), words.data(), src.size(), timer.stream());
  RoofArgs args{.src = src.data(), .dst = dst.data(), .iterations = options.iterations, .blocks = blocks};
  if (options.iterations == 0) {
    args.iterations = 64;
    while (timer.seconds(kernel, args) < kRunSeconds && args.iterations < (1 << 28)) args.iterations *= 2;
  }
  const double best = best_seconds(timer, kernel, args, options.seconds);
  return static_cast<double>(kernel.operations) * args.iterations * static_cast<double>(threads) / best * 1e-12;
}

double copy_rate(Runtime& runtime, Timer& timer, const RoofKernel& kernel, const RoofOptions& options,
                 unsigned blocks) {
  std::size_t bytes = options.copy_bytes;
  if (bytes == 0) bytes = std::max(4 * runtime.properties().l2_bytes, std::size_t{256} << 20);
  bytes = bytes / 16 * 16;
  GPUEVAL_CHECK(bytes > 0, "copy of {} bytes", options.copy_bytes);
  const DeviceBuffer src(runtime, bytes), dst(runtime, bytes);
  runtime.fill(src.data(), 0x5a, bytes, timer.stream());
  const RoofArgs args{
      .src = src.data(), .dst = dst.data(), .words = static_cast<std::int64_t>(bytes / 16), .blocks = blocks};
  timer.seconds(kernel, args);
  return 2.0 * static_cast<double>(bytes) / best_seconds(timer, kernel, args, options.seconds) * 1e-9;
}

}  // namespace

std::span<const RoofKernel> roof_kernels([[maybe_unused]] const Runtime& runtime) {
#if defined(GPUEVAL_WITH_GPU)
  if (!runtime.properties().emulated) return gpu::roof_kernels();
#endif
  return emu::roof_kernels();
}

std::vector<Roof> measure_roofs(Runtime& runtime, const RoofOptions& options) {
  const DeviceProperties& device = runtime.properties();
  const unsigned blocks = options.blocks > 0 ? options.blocks : 8 * static_cast<unsigned>(device.multiprocessors);
  Timer timer(runtime);
  std::vector<Roof> roofs;
  for (const RoofKernel& kernel : roof_kernels(runtime)) {
    Roof roof{.name = kernel.name, .unit = kernel.unit};
    if (!kernel.runs_on(device.sm)) {
      roof.missing = fmt::format("needs code for sm_{}, the device is sm_{}", kernel.min_sm, device.sm);
    } else if (kernel.operations > 0) {
      roof.value = loop_rate(runtime, timer, kernel, options, blocks);
    } else {
      roof.value = copy_rate(runtime, timer, kernel, options, blocks);
    }
    roofs.push_back(std::move(roof));
  }
  return roofs;
}

}  // namespace gpueval::cuda
