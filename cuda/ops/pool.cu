// SPDX-License-Identifier: Apache-2.0
// Maximum and average pooling of integer tensors. A thread computes 16 channels of one output pixel and visits its real
// taps only, 16 bytes a load; the taps that neighbouring pixels share come from the caches. Maxima compare four bytes
// an instruction; sums take a byte by dp4a with a weight of one in its place, which extracts and adds at once. No
// shared memory.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct PoolParams {
  ByteView src, dst;
  int h, w, p, q, channels, groups;
  int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
  unsigned threads;
  bool copy;             // maximum: the maximum itself
  float m;               // maximum
  const float* factors;  // average: by count - 1
  int offset;            // average: of a byte above its value
  float zero;            // average: the result's zero point
  float lo, hi;
};

struct TapRange {
  int begin, end;
};
GPUEVAL_DEVICE TapRange real_taps(int out, int stride, int pad, int kernel, int size) {
  const int start = out * stride - pad, end = start + kernel;
  return {.begin = start > 0 ? start : 0, .end = end < size ? end : size};
}

// Calls visit(q) for the 16 channels of each real tap; returns how many there are.
template <typename Visit>
GPUEVAL_DEVICE int for_each_tap(const PoolParams& a, const ChannelPlace& at, Visit&& visit) {
  const int row = at.pixel / a.q, image = row / a.p;
  const TapRange y = real_taps(row % a.p, a.stride_h, a.pad_top, a.kernel_h, a.h);
  const TapRange x = real_taps(at.pixel % a.q, a.stride_w, a.pad_left, a.kernel_w, a.w);
  for (int i = y.begin; i < y.end; ++i) {
    const std::int64_t pixel = (static_cast<std::int64_t>(image) * a.h + i) * a.w;
    for (int j = x.begin; j < x.end; ++j) visit(load_channels(a.src, pixel + j, at.channel, at.count));
  }
  return y.end > y.begin && x.end > x.begin ? (y.end - y.begin) * (x.end - x.begin) : 0;
}

GPUEVAL_KERNEL(kOpThreads)
max_pool_kernel(const PoolParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= a.threads) return;
  const ChannelPlace at = channel_place(thread, a.groups, a.channels);
  Bytes16 best = {{0, 0, 0, 0}};
  for_each_tap(a, at, [&best](const Bytes16& q) {
    GPUEVAL_UNROLL
    for (int w = 0; w < 4; ++w) best.word[w] = max_u8x4(best.word[w], q.word[w]);
  });
  Bytes16 out;
  GPUEVAL_UNROLL
  for (int w = 0; w < 4; ++w) {
    float v[4];
    GPUEVAL_UNROLL
    for (int i = 0; i < 4; ++i) v[i] = fma_rn(channel_value(a.src, best, w * 4 + i), a.m, 0.0f);
    out.word[w] = a.copy ? best.word[w] ^ a.src.flips : quantize_four(v, a.lo, a.hi);
  }
  store_channels(a.dst, at.pixel, at.channel, at.count, out);
}

GPUEVAL_KERNEL(kOpThreads)
avg_pool_kernel(const PoolParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= a.threads) return;
  const ChannelPlace at = channel_place(thread, a.groups, a.channels);
  int sums[16] = {};
  const int count = for_each_tap(a, at, [&sums](const Bytes16& q) {
    GPUEVAL_UNROLL
    for (int i = 0; i < 16; ++i) sums[i] = dp4a<true>(q.word[i / 4], 1u << i % 4 * 8, sums[i]);
  });
  const float m = count > 0 ? a.factors[count - 1] : 0.0f;
  const int excess = a.offset * count;
  const Bytes16 out =
      quantize_channels([&](int i) { return fma_rn(int_to_float(sums[i] - excess), m, a.zero); }, a.lo, a.hi);
  store_channels(a.dst, at.pixel, at.channel, at.count, out);
}

PoolParams make_params(const char* name, const DeviceView& src, const Window& window, const DeviceView& dst) {
  const Shape& in = src.shape;
  cuda::expect_shape(name, {in.n, window.out_h(in.h), window.out_w(in.w), in.c}, dst);
  PoolParams params{.src = byte_view(name, src),
                    .dst = byte_view(name, dst),
                    .h = in.h,
                    .w = in.w,
                    .p = dst.shape.h,
                    .q = dst.shape.w,
                    .channels = in.c,
                    .groups = channel_groups(src),
                    .kernel_h = window.kernel_h,
                    .kernel_w = window.kernel_w,
                    .stride_h = window.stride_h,
                    .stride_w = window.stride_w,
                    .pad_top = window.pad.top,
                    .pad_left = window.pad.left,
                    .offset = byte_offset(src),
                    .zero = static_cast<float>(dst.zero_point),
                    .lo = lowest(dst.dtype),
                    .hi = highest(dst.dtype)};
  return params;
}

void launch_pool(const char* name, void (*kernel)(PoolParams), PoolParams params, const DeviceView& dst,
                 Stream stream) {
  const std::int64_t threads = dst.shape.pixels() * params.groups;
  params.threads = static_cast<unsigned>(threads);
  launch_early(stream, name, op_grid(name, threads), kOpThreads, 0, kernel, params);
}

}  // namespace

void max_pool(const DeviceView& src, const Window& window, float m, const DeviceView& dst, Stream stream) {
  constexpr const char* kName = "max_pool";
  PoolParams params = make_params(kName, src, window, dst);
  params.m = m;
  params.copy = m == 1.0f && src.dtype == dst.dtype;
  launch_pool(kName, max_pool_kernel, params, dst, stream);
}

void avg_pool(const DeviceView& src, const Window& window, const float* m, const DeviceView& dst, Stream stream) {
  constexpr const char* kName = "avg_pool";
  PoolParams params = make_params(kName, src, window, dst);
  params.factors = m;
  launch_pool(kName, avg_pool_kernel, params, dst, stream);
}

}  // namespace gpueval::GPUEVAL_TARGET
