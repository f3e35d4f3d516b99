// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/kernel_timer.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "core/random.h"

namespace gpueval::cuda {
namespace {

constexpr int kWarmUps = 3, kSamples = 5, kMostLaunches = 50;
constexpr double kSampleSeconds = 200e-6;

std::vector<std::int8_t> random_bytes(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int8_t> bytes(count);
  for (std::int8_t& byte : bytes) byte = static_cast<std::int8_t>(random.integer(-127, 127));
  return bytes;
}

// Random, in repeated pieces: what matters is that bits toggle.
DeviceBuffer random_tensor(Runtime& runtime, std::size_t bytes, std::uint64_t seed, Stream stream) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  DeviceBuffer buffer(runtime, bytes);
  const std::vector<std::int8_t> piece = random_bytes(std::min(bytes, kPiece), seed);
  for (std::size_t at = 0; at < bytes; at += kPiece) {
    runtime.copy_to_device(static_cast<std::byte*>(buffer.data()) + at, piece.data(), std::min(kPiece, bytes - at),
                           stream);
  }
  runtime.synchronize(stream);
  return buffer;
}

std::size_t tensor_bytes(std::int64_t pixels, int pitch, DType type) {
  return static_cast<std::size_t>(pixels * pitch) * size_of(type);
}

}  // namespace

KernelTimer::KernelTimer(Runtime& runtime, const ConvProblem& problem, Stream stream)
    : runtime_(runtime), problem_(problem), stream_(stream), begin_(make_event(runtime)), end_(make_event(runtime)) {
  const ConvDesc& d = problem.desc;
  src_ = random_tensor(runtime, tensor_bytes(std::int64_t{d.n} * d.h * d.w, problem.src_pitch, problem.src), 1, stream);
  dst_ = DeviceBuffer(runtime, tensor_bytes(d.output_pixels(), problem.dst_pitch, problem.dst));
  if (problem.residual) {
    residual_ =
        random_tensor(runtime, tensor_bytes(d.output_pixels(), problem.residual_pitch, *problem.residual), 2, stream);
  }
  const std::vector<float> m(static_cast<std::size_t>(d.k), 1e-3f), b(static_cast<std::size_t>(d.k), 1.0f);
  for (const auto& [buffer, values] : {std::pair(&m_, &m), std::pair(&b_, &b)}) {
    *buffer = DeviceBuffer(runtime, values->size() * sizeof(float));
    runtime.copy_to_device(buffer->data(), values->data(), values->size() * sizeof(float), stream);
  }
}

double KernelTimer::sample(const ConvKernel& row, const ConvArgs& args, int launches) {
  const int multiprocessors = runtime_.properties().multiprocessors;
  runtime_.record(begin_.get(), stream_);
  for (int i = 0; i < launches; ++i) row.launch(problem_, args, multiprocessors, stream_);
  runtime_.record(end_.get(), stream_);
  runtime_.synchronize(stream_);
  return std::max(runtime_.seconds(begin_.get(), end_.get()), 1e-9) / launches;
}

double KernelTimer::microseconds(const ConvKernel& row) {
  const ConvDesc& d = problem_.desc;
  const auto weight_count =
      static_cast<std::size_t>((d.depthwise ? 1 : d.k) * std::int64_t{d.c} * d.window.kernel_h * d.window.kernel_w);
  const std::vector<std::int8_t> packed = row.pack(problem_, random_bytes(weight_count, 3));
  DeviceBuffer weights(runtime_, packed.size());
  runtime_.copy_to_device(weights.data(), packed.data(), packed.size(), stream_);
  const std::size_t scratch_bytes = row.workspace(problem_, runtime_.properties().multiprocessors);
  DeviceBuffer workspace(runtime_, scratch_bytes);
  if (scratch_bytes > 0) runtime_.fill(workspace.data(), 0, scratch_bytes, stream_);
  const ConvArgs args{.n = d.n,
                      .src = src_.data(),
                      .weights = weights.data(),
                      .dst = dst_.data(),
                      .residual = residual_.data(),
                      .m = static_cast<const float*>(m_.data()),
                      .b = static_cast<const float*>(b_.data()),
                      .lo = problem_.dst == DType::kU8 ? 0.0f : -127.0f,
                      .hi = problem_.dst == DType::kU8 ? 255.0f : 127.0f,
                      .residual_scale = 0.5f,
                      .workspace = workspace.data()};
  sample(row, args, 1);  // loads the kernel, which may take longer than all that follows
  const double once = sample(row, args, kWarmUps);
  const int launches = static_cast<int>(std::clamp(kSampleSeconds / once, 1.0, static_cast<double>(kMostLaunches)));
  std::array<double, kSamples> seconds{};
  for (double& value : seconds) value = sample(row, args, launches);
  std::sort(seconds.begin(), seconds.end());
  return seconds[kSamples / 2] * 1e6;
}

}  // namespace gpueval::cuda
