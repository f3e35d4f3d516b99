// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/kernel_timer.h"

#include <algorithm>
#include <vector>

#include "core/random.h"
#include "cuda/runtime/tables.h"
#include "cuda/select/graph_time.h"

namespace gpueval::cuda {
namespace {

// Random, in repeated pieces: what matters is that bits toggle.
constexpr std::size_t kPiece = std::size_t{1} << 20;

std::vector<std::int8_t> random_bytes(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i)
    bytes[i] = i < kPiece ? static_cast<std::int8_t>(random.integer(-127, 127)) : bytes[i - kPiece];
  return bytes;
}

DeviceBuffer random_tensor(Runtime& runtime, std::size_t bytes, std::uint64_t seed, Stream stream) {
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
    : runtime_(runtime), problem_(problem), stream_(stream) {
  const ConvDesc& d = problem.desc;
  src_ = random_tensor(runtime, tensor_bytes(std::int64_t{d.n} * d.h * d.w, problem.src_pitch, problem.src), 1, stream);
  dst_ = DeviceBuffer(runtime, tensor_bytes(problem.output_pixels(), problem.dst_pitch, problem.dst));
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

const void* KernelTimer::packed(const ConvKernel& row) {
  DeviceBuffer& buffer = packed_[row.pack];
  if (buffer.data() != nullptr) return buffer.data();
  const ConvDesc& d = problem_.desc;
  const std::int64_t taps = std::int64_t{d.window.kernel_h} * d.window.kernel_w;
  if (weights_.empty()) weights_ = random_bytes(static_cast<std::size_t>((d.depthwise ? 1 : d.k) * d.c * taps), 3);
  const std::vector<std::int8_t> bytes = row.pack(problem_, weights_);
  buffer = DeviceBuffer(runtime_, bytes.size());
  runtime_.copy_to_device(buffer.data(), bytes.data(), bytes.size(), stream_);
  runtime_.synchronize(stream_);
  return buffer.data();
}

double KernelTimer::pool_microseconds() {
  const ConvDesc& d = problem_.desc;
  const int pitch = problem_.dst_pitch;
  const auto seed = std::uint64_t{4};
  if (unpooled_.data() == nullptr) {
    unpooled_ = random_tensor(runtime_, tensor_bytes(d.output_pixels(), pitch, problem_.dst), seed, stream_);
  }
  const DeviceView src{unpooled_.data(), problem_.dst, {d.n, d.p(), d.q(), d.k}, pitch};
  const DeviceView dst{dst_.data(), problem_.dst, {d.n, problem_.out_h(), problem_.out_w(), d.k}, pitch};
  const auto launch = [&] { ops_of(runtime_).max_pool(src, *problem_.pool, 1.0f, dst, stream_); };
  return least_seconds(runtime_, stream_, launch) * 1e6;
}

double KernelTimer::microseconds(const ConvKernel& row, double give_up) {
  const int multiprocessors = runtime_.properties().multiprocessors;
  const std::size_t scratch_bytes = row.workspace(problem_, multiprocessors);
  DeviceBuffer workspace(runtime_, scratch_bytes);
  if (scratch_bytes > 0) runtime_.fill(workspace.data(), 0, scratch_bytes, stream_);
  const ConvArgs args{.n = problem_.desc.n,
                      .src = src_.data(),
                      .weights = packed(row),
                      .dst = dst_.data(),
                      .residual = residual_.data(),
                      .m = static_cast<const float*>(m_.data()),
                      .b = static_cast<const float*>(b_.data()),
                      .lo = problem_.dst == DType::kU8 ? 0.0f : -127.0f,
                      .hi = problem_.dst == DType::kU8 ? 255.0f : 127.0f,
                      .residual_scale = 0.5f,
                      .workspace = workspace.data()};
  const auto launch = [&] { row.launch(problem_, args, multiprocessors, stream_); };
  return least_seconds(runtime_, stream_, launch, give_up * 1e-6) * 1e6;
}

}  // namespace gpueval::cuda
