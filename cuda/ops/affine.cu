// SPDX-License-Identifier: Apache-2.0
// Multiplication and addition of one number a channel. Bound by memory, as eltwise.cu (integers: 16 channels a thread)
// and float_elementwise.cu (four, or one). No shared memory.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/float_items.h"
#include "cuda/ops/float_view.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct AffineParams {
  ByteView src, dst;
  float* dst_float;  // in place of dst where the result is float32
  std::int64_t dst_pitch;
  const float *m, *b;
  float lo, hi;
  int channels, groups;
  unsigned threads;
};

GPUEVAL_KERNEL(kOpThreads)
affine_kernel(const AffineParams p) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= p.threads) return;
  const ChannelPlace at = channel_place(thread, p.groups, p.channels);
  const Bytes16 q = load_channels(p.src, at.pixel, at.channel, at.count);
  const auto value = [&](int i) {
    const bool real = i < at.count;
    const float m = real ? p.m[at.channel + i] : 0.0f, b = real ? p.b[at.channel + i] : 0.0f;
    const float v = fma_rn(channel_value(p.src, q, i), m, b);
    if (real && p.dst_float != nullptr) p.dst_float[at.pixel * p.dst_pitch + at.channel + i] = max_of(v, p.lo);
    return v;
  };
  const Bytes16 out = quantize_channels(value, p.lo, p.hi);
  if (p.dst_float == nullptr) store_channels(p.dst, at.pixel, at.channel, at.count, out);
}

template <typename T>
struct AffineFloatParams {
  FloatView<T> src, dst;
  const float *gamma, *beta;
  Items items;
  Bounds bounds;
};

template <typename T, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
affine_float_kernel(const AffineFloatParams<T> p) {
  begin_behind_previous_kernel();
  Place at;
  if (!find_place<kWidth>(p.items, &at)) return;
  Floats<kWidth> x = load_floats<kWidth>(p.src.at(at.pixel, at.channel));
  GPUEVAL_UNROLL
  for (int i = 0; i < kWidth; ++i) {
    const int c = at.channel + i;
    x.v[i] = x.v[i] * p.gamma[c] + p.beta[c];  // not fused: the CPU's bits
  }
  p.bounds.apply(x);
  store_floats(p.dst.at(at.pixel, at.channel), x);
}

}  // namespace

void affine(const DeviceView& src, const float* m, const float* b, float lo, float hi, const DeviceView& dst,
            Stream stream) {
  constexpr const char* kName = "affine";
  cuda::expect_shape(kName, src.shape, dst);
  const bool to_float = dst.dtype == DType::kF32;
  const int groups = channel_groups(src);
  const std::int64_t threads = src.shape.pixels() * groups;
  const Grid grid = op_grid(kName, threads);
  const ByteView from = byte_view(kName, src);
  launch_early(stream, kName, grid, kOpThreads, 0, affine_kernel,
               AffineParams{.src = from,
                            .dst = to_float ? from : byte_view(kName, dst),
                            .dst_float = to_float ? static_cast<float*>(dst.data) : nullptr,
                            .dst_pitch = dst.pitch,
                            .m = m,
                            .b = b,
                            .lo = lo,
                            .hi = hi,
                            .channels = src.shape.c,
                            .groups = groups,
                            .threads = static_cast<unsigned>(threads)});
}

void affine_float(const DeviceView& src, const float* gamma, const float* beta, Activation act, const DeviceView& dst,
                  Stream stream) {
  const char* name = "affine_float";
  with_float_type({src, dst}, name, [&]<typename T, int kWidth>() {
    const AffineFloatParams<T> params{float_view<T>(src),          float_view<T>(dst), gamma, beta,
                                      items_of<kWidth>(dst.shape), bounds_of(act)};
    launch_early(stream, name, {.x = blocks_of(dst.shape.elements() / kWidth, name)}, kFloatThreads, 0,
                 &affine_float_kernel<T, kWidth>, params);
  });
}

}  // namespace gpueval::GPUEVAL_TARGET
