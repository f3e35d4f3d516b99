// SPDX-License-Identifier: Apache-2.0
// Depthwise convolutions, bound by memory. 3x3: a thread makes four neighbouring output columns of four channels (one
// where channels or pitch are no multiple of four); its nine weights per channel stay in registers, and each source
// column is read once for the up to three outputs that it serves. Other windows: one output pixel a thread.
// No shared memory; rows shared by neighbouring threads come from the caches.
#include "cuda/ops/float_conv.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

template <typename T>
struct DepthwiseParams {
  FloatView<const T> src;
  const T* weights;
  FloatEpilogue<T> epilogue;
  unsigned items, groups;  // items = (n, p, strip of columns, group of channels), the group fastest
  int strips;              // of one output row
  int h, w, c, p, q;
  Window window;
};

struct DepthwisePlace {
  int channel, column, row, image;
};

template <int kWidth, int kColumns, typename T>
GPUEVAL_DEVICE bool find_place(const DepthwiseParams<T>& p, DepthwisePlace* at) {
  const unsigned item = block_index().x * kFloatThreads + thread_index().x;
  if (item >= p.items) return false;
  const int strip = static_cast<int>(item / p.groups);
  at->channel = static_cast<int>(item % p.groups) * kWidth;
  at->column = strip % p.strips * kColumns;
  at->row = strip / p.strips % p.p;
  at->image = strip / p.strips / p.p;
  return true;
}

template <int kWidth>
GPUEVAL_DEVICE void multiply_add(Floats<kWidth>& acc, const Floats<kWidth>& x, const Floats<kWidth>& w) {
  GPUEVAL_UNROLL
  for (int i = 0; i < kWidth; ++i) acc.v[i] = fma_rn(x.v[i], w.v[i], acc.v[i]);
}

template <typename T, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
depthwise_any_kernel(const DepthwiseParams<T> p) {
  DepthwisePlace at;
  if (!find_place<kWidth, 1>(p, &at)) return;
  const int top = at.row * p.window.stride_h - p.window.pad.top;
  const int left = at.column * p.window.stride_w - p.window.pad.left;
  Floats<kWidth> acc = {};
  for (int r = 0; r < p.window.kernel_h; ++r) {
    const int h = top + r;
    if (h < 0 || h >= p.h) continue;
    const std::int64_t line = (static_cast<std::int64_t>(at.image) * p.h + h) * p.w;
    for (int s = 0; s < p.window.kernel_w; ++s) {
      const int w = left + s;
      if (w < 0 || w >= p.w) continue;
      const T* weights = p.weights + (r * p.window.kernel_w + s) * p.c + at.channel;
      multiply_add(acc, load_floats<kWidth>(p.src.at(line + w, at.channel)), load_floats<kWidth>(weights));
    }
  }
  const std::int64_t out = (static_cast<std::int64_t>(at.image) * p.p + at.row) * p.q + at.column;
  finish_floats<kWidth>(p.epilogue, out, at.channel, acc);
}

constexpr int kStrip = 4;

template <typename T, int kWidth, int kStride>
GPUEVAL_KERNEL(kFloatThreads)
depthwise_3x3_kernel(const DepthwiseParams<T> p) {
  DepthwisePlace at;
  if (!find_place<kWidth, kStrip>(p, &at)) return;
  const int top = at.row * kStride - p.window.pad.top, left = at.column * kStride - p.window.pad.left;
  Floats<kWidth> acc[kStrip] = {};
  GPUEVAL_UNROLL
  for (int r = 0; r < 3; ++r) {
    const int h = top + r;
    if (h < 0 || h >= p.h) continue;
    Floats<kWidth> weights[3];
    GPUEVAL_UNROLL
    for (int s = 0; s < 3; ++s) weights[s] = load_floats<kWidth>(p.weights + (r * 3 + s) * p.c + at.channel);
    const std::int64_t line = (static_cast<std::int64_t>(at.image) * p.h + h) * p.w;
    GPUEVAL_UNROLL
    for (int x = 0; x < (kStrip - 1) * kStride + 3; ++x) {
      const int w = left + x;
      if (w < 0 || w >= p.w) continue;
      const Floats<kWidth> src = load_floats<kWidth>(p.src.at(line + w, at.channel));
      GPUEVAL_UNROLL
      for (int i = 0; i < kStrip; ++i) {
        const int s = x - i * kStride;
        if (s >= 0 && s < 3) multiply_add(acc[i], src, weights[s]);
      }
    }
  }
  const std::int64_t line = (static_cast<std::int64_t>(at.image) * p.p + at.row) * p.q;
  GPUEVAL_UNROLL
  for (int i = 0; i < kStrip; ++i) {
    if (at.column + i < p.q) finish_floats<kWidth>(p.epilogue, line + at.column + i, at.channel, acc[i]);
  }
}

// Columns of a strip, and the kernel that makes them.
template <typename T>
struct DepthwiseChoice {
  int columns;
  void (*kernel)(DepthwiseParams<T>);
};

template <typename T, int kWidth>
DepthwiseChoice<T> choose(const Window& window) {
  const bool square = window.kernel_h == 3 && window.kernel_w == 3 && window.stride_h == window.stride_w;
  if (square && window.stride_h == 1) return {kStrip, &depthwise_3x3_kernel<T, kWidth, 1>};
  if (square && window.stride_h == 2) return {kStrip, &depthwise_3x3_kernel<T, kWidth, 2>};
  return {1, &depthwise_any_kernel<T, kWidth>};
}

}  // namespace

void conv_float_depthwise(const FloatConvCall& call) {
  const ConvDesc& d = call.desc;
  with_float_type(call.src.dtype, "conv_float", [&]<typename T>() {
    const bool wide = is_wide({call.src, call.dst, call.residual}) &&
                      reinterpret_cast<std::uintptr_t>(call.weights) % (4 * sizeof(T)) == 0;
    const int groups = wide ? d.c / 4 : d.c;
    const DepthwiseChoice<T> choice = wide ? choose<T, 4>(d.window) : choose<T, 1>(d.window);
    const int strips = (d.q() + choice.columns - 1) / choice.columns;
    const std::int64_t items = static_cast<std::int64_t>(d.n) * d.p() * strips * groups;
    const DepthwiseParams<T> params{.src = {static_cast<const T*>(call.src.data), call.src.pitch},
                                    .weights = static_cast<const T*>(call.weights),
                                    .epilogue = float_epilogue<T>(call),
                                    .items = static_cast<unsigned>(items),
                                    .groups = static_cast<unsigned>(groups),
                                    .strips = strips,
                                    .h = d.h,
                                    .w = d.w,
                                    .c = d.c,
                                    .p = d.p(),
                                    .q = d.q(),
                                    .window = d.window};
    launch(call.stream, "conv_float_depthwise", {.x = blocks_of(items, "conv_float")}, kFloatThreads, 0, choice.kernel,
           params);
  });
}

}  // namespace gpueval::GPUEVAL_TARGET
