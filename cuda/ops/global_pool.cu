// SPDX-License-Identifier: Apache-2.0
// Average of whole images of integer tensors. A block sums 128 channels of one image: eight threads across the channels
// (16 each), sixteen across the pixels; then one thread a channel adds the sixteen parts. Integers, so the order does
// not matter. Against one thread for all pixels of 16 channels this gives small batches enough threads.
// Shared memory: int part[16][128], 8 KiB.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/shared.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr int kBlockChannels = 128, kLanes = kBlockChannels / 16, kParts = 16;
constexpr unsigned kThreads = kLanes * kParts;
static_assert(kThreads == kBlockChannels, "one thread a channel finishes");

struct GlobalParams {
  ByteView src;
  void* dst;
  std::int64_t dst_pitch;
  int pixels, channels;   // of an image
  int offset;             // of a pixel: what its byte is above its value
  float m, zero, lo, hi;  // zero: the result's zero point
  bool dst_float;
};

GPUEVAL_KERNEL(kThreads)
global_avg_pool_kernel(const GlobalParams a) {
  begin_behind_previous_kernel();
  const Shared<int> part(0, kParts * kBlockChannels);
  const int thread = static_cast<int>(thread_index().x), image = static_cast<int>(block_index().y);
  const int first = static_cast<int>(block_index().x) * kBlockChannels;
  const int lane = thread % kLanes, channel = first + lane * 16;
  const int left = a.channels - channel, count = left < 16 ? left : 16;
  int sums[16] = {};
  if (count > 0) {
    const std::int64_t start = static_cast<std::int64_t>(image) * a.pixels;
    for (int pixel = thread / kLanes; pixel < a.pixels; pixel += kParts) {
      const Bytes16 q = load_channels(a.src, start + pixel, channel, count);
      GPUEVAL_UNROLL
      for (int i = 0; i < 16; ++i) sums[i] = dp4a<true>(q.word[i / 4], 1u << i % 4 * 8, sums[i]);
    }
  }
  GPUEVAL_UNROLL
  for (int i = 0; i < 16; ++i) part[thread / kLanes * kBlockChannels + lane * 16 + i] = sums[i];
  block_barrier();
  const int mine = first + thread;
  if (mine >= a.channels) return;
  int sum = -a.offset * a.pixels;
  for (int i = 0; i < kParts; ++i) sum += part[i * kBlockChannels + thread];
  const float v = fma_rn(int_to_float(sum), a.m, a.zero);
  const std::int64_t at = image * a.dst_pitch + mine;
  if (a.dst_float) {
    static_cast<float*>(a.dst)[at] = v;
  } else {
    static_cast<std::uint8_t*>(a.dst)[at] = static_cast<std::uint8_t>(round_to_int(min_of(max_of(v, a.lo), a.hi)));
  }
}

}  // namespace

void global_avg_pool(const DeviceView& src, float m, const DeviceView& dst, Stream stream) {
  constexpr const char* kName = "global_avg_pool";
  cuda::expect_shape(kName, {src.shape.n, 1, 1, src.shape.c}, dst);
  if (dst.dtype != DType::kF32) cuda::expect_integer(kName, dst);
  const Grid grid{.x = static_cast<unsigned>((src.shape.c + kBlockChannels - 1) / kBlockChannels),
                  .y = static_cast<unsigned>(src.shape.n)};
  launch_early(stream, kName, grid, kThreads, sizeof(int) * kParts * kBlockChannels, global_avg_pool_kernel,
               GlobalParams{.src = byte_view(kName, src),
                            .dst = dst.data,
                            .dst_pitch = dst.pitch,
                            .pixels = src.shape.h * src.shape.w,
                            .channels = src.shape.c,
                            .offset = byte_offset(src),
                            .m = m,
                            .zero = static_cast<float>(dst.zero_point),
                            .lo = lowest(dst.dtype),
                            .hi = highest(dst.dtype),
                            .dst_float = dst.dtype == DType::kF32});
}

}  // namespace gpueval::GPUEVAL_TARGET
