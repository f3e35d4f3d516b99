// SPDX-License-Identifier: Apache-2.0
// Operations of two integer tensors, and slopes, 16 channels a thread as eltwise.cu. A repeated channel is one byte put
// into all 16. No shared memory.
#include "cuda/ops/broadcast.h"
#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct BinaryParams {
  ByteView a, b, dst;
  Repeated first, second;
  float m1, m2, zero, lo, hi;  // zero: the result's zero point
  int channels, groups;
  unsigned threads;
};

GPUEVAL_DEVICE Bytes16 load_repeated(const ByteView& view, const Repeated& place, const ChannelPlace& at) {
  const std::int64_t pixel = place.pixel(static_cast<unsigned>(at.pixel));
  if (!place.channel) return load_channels(view, pixel, at.channel, at.count);
  const std::uint32_t word = (view.data[pixel * view.pitch] * 0x01010101u) ^ view.flips;
  return {{word, word, word, word}};
}

template <BinaryKind kKind>
GPUEVAL_DEVICE float combine(float q1, float m1, float q2, float m2, float zero) {
  if constexpr (kKind == BinaryKind::kMultiply) return fma_rn(q1 * q2, m1, zero);  // q1 * q2 is exact
  const float v2 = fma_rn(q2, m2, 0.0f);
  if constexpr (kKind == BinaryKind::kAdd) return fma_rn(q1, m1, v2);
  if constexpr (kKind == BinaryKind::kSubtract) return fma_rn(q1, m1, -v2);
  const float v1 = fma_rn(q1, m1, 0.0f);
  return kKind == BinaryKind::kMaximum ? max_of(v1, v2) : min_of(v1, v2);
}

template <BinaryKind kKind>
GPUEVAL_KERNEL(kOpThreads)
binary_kernel(const BinaryParams p) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= p.threads) return;
  const ChannelPlace at = channel_place(thread, p.groups, p.channels);
  const Bytes16 a = load_repeated(p.a, p.first, at), b = load_repeated(p.b, p.second, at);
  const auto value = [&](int i) {
    return combine<kKind>(channel_value(p.a, a, i), p.m1, channel_value(p.b, b, i), p.m2, p.zero);
  };
  store_channels(p.dst, at.pixel, at.channel, at.count, quantize_channels(value, p.lo, p.hi));
}

struct PReluParams {
  ByteView src, dst;
  const float *m, *b;
  unsigned pixels;  // that have numbers of their own
  float lo, hi;
  int channels, groups;
  unsigned threads;
};

GPUEVAL_KERNEL(kOpThreads)
prelu_kernel(const PReluParams p) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= p.threads) return;
  const ChannelPlace at = channel_place(thread, p.groups, p.channels);
  const Bytes16 q = load_channels(p.src, at.pixel, at.channel, at.count);
  const unsigned first = static_cast<unsigned>(at.pixel) % p.pixels * static_cast<unsigned>(p.channels);
  const auto value = [&](int i) {
    const float x = channel_value(p.src, q, i);
    if (i >= at.count) return 0.0f;
    const float* factors = x < 0 ? p.b : p.m;
    return fma_rn(x, factors[first + static_cast<unsigned>(at.channel + i)], 0.0f);
  };
  store_channels(p.dst, at.pixel, at.channel, at.count, quantize_channels(value, p.lo, p.hi));
}

template <BinaryKind kKind>
void launch_binary(const Grid& grid, const BinaryParams& params, Stream stream) {
  launch_early(stream, "binary", grid, kOpThreads, 0, binary_kernel<kKind>, params);
}

}  // namespace

void binary(BinaryKind kind, const DeviceView& a, float m1, const DeviceView& b, float m2, const DeviceView& dst,
            Stream stream) {
  constexpr const char* kName = "binary";
  cuda::expect_broadcast(kName, a, b, dst);
  const int groups = channel_groups(dst);
  const std::int64_t threads = dst.shape.pixels() * groups;
  const Grid grid = op_grid(kName, threads);
  const BinaryParams params{.a = byte_view(kName, a),
                            .b = byte_view(kName, b),
                            .dst = byte_view(kName, dst),
                            .first = repeated(a, dst),
                            .second = repeated(b, dst),
                            .m1 = m1,
                            .m2 = m2,
                            .zero = static_cast<float>(dst.zero_point),
                            .lo = lowest(dst.dtype),
                            .hi = highest(dst.dtype),
                            .channels = dst.shape.c,
                            .groups = groups,
                            .threads = static_cast<unsigned>(threads)};
  switch (kind) {
    case BinaryKind::kAdd:
      return launch_binary<BinaryKind::kAdd>(grid, params, stream);
    case BinaryKind::kSubtract:
      return launch_binary<BinaryKind::kSubtract>(grid, params, stream);
    case BinaryKind::kMultiply:
      return launch_binary<BinaryKind::kMultiply>(grid, params, stream);
    case BinaryKind::kMaximum:
      return launch_binary<BinaryKind::kMaximum>(grid, params, stream);
    case BinaryKind::kMinimum:
      return launch_binary<BinaryKind::kMinimum>(grid, params, stream);
  }
}

void prelu(const DeviceView& src, const float* m, const float* b, bool per_element, const DeviceView& dst,
           Stream stream) {
  constexpr const char* kName = "prelu";
  cuda::expect_shape(kName, src.shape, dst);
  const int groups = channel_groups(src);
  const std::int64_t threads = src.shape.pixels() * groups;
  const Grid grid = op_grid(kName, threads);
  launch_early(stream, kName, grid, kOpThreads, 0, prelu_kernel,
               PReluParams{.src = byte_view(kName, src),
                           .dst = byte_view(kName, dst),
                           .m = m,
                           .b = b,
                           .pixels = per_element ? static_cast<unsigned>(src.shape.h * src.shape.w) : 1u,
                           .lo = lowest(dst.dtype),
                           .hi = highest(dst.dtype),
                           .channels = src.shape.c,
                           .groups = groups,
                           .threads = static_cast<unsigned>(threads)});
}

}  // namespace gpueval::GPUEVAL_TARGET
