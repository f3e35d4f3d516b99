// SPDX-License-Identifier: Apache-2.0
// Addition and requantization of integer tensors, 16 channels a thread: bound by memory, so all that matters is that
// each byte moves once, 16 at a time, and that a byte's way to a float and back takes two instructions each
// (integer_view.h) instead of slow conversions. No shared memory.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct AddParams {
  ByteView a, b, dst;
  float m1, m2, lo, hi;
  int channels, groups;
  unsigned threads;
};

GPUEVAL_KERNEL(kOpThreads)
add_kernel(const AddParams p) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= p.threads) return;
  const ChannelPlace at = channel_place(thread, p.groups, p.channels);
  const Bytes16 a = load_channels(p.a, at.pixel, at.channel, at.count);
  const Bytes16 b = load_channels(p.b, at.pixel, at.channel, at.count);
  const Bytes16 out = quantize_channels(
      [&](int i) { return fma_rn(channel_value(p.a, a, i), p.m1, fma_rn(channel_value(p.b, b, i), p.m2, 0.0f)); }, p.lo,
      p.hi);
  store_channels(p.dst, at.pixel, at.channel, at.count, out);
}

struct RequantizeParams {
  ByteView src, dst;
  float m, lo, hi;
  int channels, groups;
  unsigned threads;
};

GPUEVAL_KERNEL(kOpThreads)
requantize_kernel(const RequantizeParams p) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= p.threads) return;
  const ChannelPlace at = channel_place(thread, p.groups, p.channels);
  const Bytes16 q = load_channels(p.src, at.pixel, at.channel, at.count);
  const Bytes16 out =
      quantize_channels([&](int i) { return fma_rn(channel_value(p.src, q, i), p.m, 0.0f); }, p.lo, p.hi);
  store_channels(p.dst, at.pixel, at.channel, at.count, out);
}

}  // namespace

void add(const DeviceView& a, float m1, const DeviceView& b, float m2, float lo, float hi, const DeviceView& dst,
         Stream stream) {
  constexpr const char* kName = "add";
  cuda::expect_shape(kName, a.shape, b);
  cuda::expect_shape(kName, a.shape, dst);
  const int groups = channel_groups(a);
  const std::int64_t threads = a.shape.pixels() * groups;
  const Grid grid = op_grid(kName, threads);
  launch_early(stream, kName, grid, kOpThreads, 0, add_kernel,
               AddParams{.a = byte_view(kName, a),
                         .b = byte_view(kName, b),
                         .dst = byte_view(kName, dst),
                         .m1 = m1,
                         .m2 = m2,
                         .lo = lo,
                         .hi = hi,
                         .channels = a.shape.c,
                         .groups = groups,
                         .threads = static_cast<unsigned>(threads)});
}

// m = 1 needs no form of its own: q * 1 + 0 is q, whatever cuts it.
void requantize(const DeviceView& src, float m, float lo, float hi, const DeviceView& dst, Stream stream) {
  constexpr const char* kName = "requantize";
  cuda::expect_shape(kName, src.shape, dst);
  const int groups = channel_groups(src);
  const std::int64_t threads = src.shape.pixels() * groups;
  const Grid grid = op_grid(kName, threads);
  launch_early(stream, kName, grid, kOpThreads, 0, requantize_kernel,
               RequantizeParams{.src = byte_view(kName, src),
                                .dst = byte_view(kName, dst),
                                .m = m,
                                .lo = lo,
                                .hi = hi,
                                .channels = src.shape.c,
                                .groups = groups,
                                .threads = static_cast<unsigned>(threads)});
}

}  // namespace gpueval::GPUEVAL_TARGET
