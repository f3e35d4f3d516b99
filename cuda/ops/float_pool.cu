// SPDX-License-Identifier: Apache-2.0
// Pools of float32 and float16 tensors. Windows: one thread four neighbouring channels (or one) of an output pixel;
// the overlap of windows is left to the caches. Global average: a block takes 32 channels of an image, eight threads
// share a channel's pixels, and shared memory ([8][32] sums) adds them up in a fixed order.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/float_view.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

template <typename T>
struct PoolFloatParams {
  FloatView<T> src, dst;
  unsigned items, groups;
  int h, w, p, q;  // of src and dst
  Window window;
};

template <typename T, int kWidth, bool kMax>
GPUEVAL_KERNEL(kFloatThreads)
pool_float_kernel(const PoolFloatParams<T> p) {
  const unsigned item = block_index().x * kFloatThreads + thread_index().x;
  if (item >= p.items) return;
  const int pixel = static_cast<int>(item / p.groups), channel = static_cast<int>(item % p.groups) * kWidth;
  const int image = pixel / (p.p * p.q), row = pixel / p.q % p.p, column = pixel % p.q;
  const int top = row * p.window.stride_h - p.window.pad.top, left = column * p.window.stride_w - p.window.pad.left;
  const int h_end = top + p.window.kernel_h < p.h ? top + p.window.kernel_h : p.h;
  const int w_end = left + p.window.kernel_w < p.w ? left + p.window.kernel_w : p.w;
  const int h_begin = top > 0 ? top : 0, w_begin = left > 0 ? left : 0;
  Floats<kWidth> result;
  GPUEVAL_UNROLL
  for (int i = 0; i < kWidth; ++i) result.v[i] = kMax ? -std::numeric_limits<float>::infinity() : 0.0f;
  for (int h = h_begin; h < h_end; ++h) {
    for (int w = w_begin; w < w_end; ++w) {
      const std::int64_t at = (static_cast<std::int64_t>(image) * p.h + h) * p.w + w;
      const Floats<kWidth> x = load_floats<kWidth>(p.src.at(at, channel));
      GPUEVAL_UNROLL
      for (int i = 0; i < kWidth; ++i) result.v[i] = kMax ? max_of(result.v[i], x.v[i]) : result.v[i] + x.v[i];
    }
  }
  if constexpr (!kMax) {
    const float count = int_to_float((h_end - h_begin) * (w_end - w_begin));
    GPUEVAL_UNROLL
    for (int i = 0; i < kWidth; ++i) result.v[i] = divide_rn(result.v[i], count);
  }
  store_floats(p.dst.at(pixel, channel), result);
}

template <bool kMax>
void pool_float(const char* name, const cuda::DeviceView& src, const Window& window, const cuda::DeviceView& dst,
                cuda::Stream stream) {
  with_float_type({src, dst}, name, [&]<typename T, int kWidth>() {
    const PoolFloatParams<T> params{.src = float_view<T>(src),
                                    .dst = float_view<T>(dst),
                                    .items = static_cast<unsigned>(dst.shape.elements() / kWidth),
                                    .groups = static_cast<unsigned>(dst.shape.c / kWidth),
                                    .h = src.shape.h,
                                    .w = src.shape.w,
                                    .p = dst.shape.h,
                                    .q = dst.shape.w,
                                    .window = window};
    launch(stream, name, {.x = blocks_of(dst.shape.elements() / kWidth, name)}, kFloatThreads, 0,
           &pool_float_kernel<T, kWidth, kMax>, params);
  });
}

constexpr int kChannels = 32, kSlices = 8;

template <typename T>
struct GlobalPoolParams {
  FloatView<T> src, dst;
  int pixels, c;
};

template <typename T>
GPUEVAL_KERNEL(kChannels* kSlices)
global_pool_kernel(const GlobalPoolParams<T> p) {
  const Shared<float> sums(0, kChannels * kSlices);
  const int lane = static_cast<int>(thread_index().x) % kChannels,
            slice = static_cast<int>(thread_index().x) / kChannels;
  const int channel = static_cast<int>(block_index().x) * kChannels + lane;
  const std::int64_t first = static_cast<std::int64_t>(block_index().y) * p.pixels;
  float sum = 0;
  if (channel < p.c) {
    for (int pixel = slice; pixel < p.pixels; pixel += kSlices) {
      sum += load_floats<1>(p.src.at(first + pixel, channel)).v[0];
    }
  }
  sums[slice * kChannels + lane] = sum;
  block_barrier();
  if (slice != 0 || channel >= p.c) return;
  for (int i = 1; i < kSlices; ++i) sum += sums[i * kChannels + lane];
  const Floats<1> mean{{divide_rn(sum, int_to_float(p.pixels))}};
  store_floats(p.dst.at(block_index().y, channel), mean);
}

}  // namespace

void max_pool_float(const cuda::DeviceView& src, const Window& window, const cuda::DeviceView& dst,
                    cuda::Stream stream) {
  pool_float<true>("max_pool_float", src, window, dst, stream);
}

void avg_pool_float(const cuda::DeviceView& src, const Window& window, const cuda::DeviceView& dst,
                    cuda::Stream stream) {
  pool_float<false>("avg_pool_float", src, window, dst, stream);
}

void global_avg_pool_float(const cuda::DeviceView& src, const cuda::DeviceView& dst, cuda::Stream stream) {
  const char* name = "global_avg_pool_float";
  with_float_type(src.dtype, name, [&]<typename T>() {
    const GlobalPoolParams<T> params{float_view<T>(src), float_view<T>(dst), src.shape.h * src.shape.w, src.shape.c};
    const Grid grid{.x = static_cast<unsigned>((src.shape.c + kChannels - 1) / kChannels),
                    .y = static_cast<unsigned>(src.shape.n)};
    launch(stream, name, grid, kChannels * kSlices, kChannels * kSlices * sizeof(float), &global_pool_kernel<T>,
           params);
  });
}

}  // namespace gpueval::GPUEVAL_TARGET
