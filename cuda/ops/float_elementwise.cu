// SPDX-License-Identifier: Apache-2.0
// Element by element on float32 and float16 tensors: one thread four neighbouring channels (16 or 8 bytes a load), or
// one where channels or pitch are no multiple of four. Bound by memory; no shared memory.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/float_items.h"
#include "cuda/ops/float_view.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

template <typename T>
struct AddFloatParams {
  FloatView<T> a, b, dst;
  Items items;
  Bounds bounds;
};

template <typename T, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
add_float_kernel(const AddFloatParams<T> p) {
  Place at;
  if (!find_place<kWidth>(p.items, &at)) return;
  Floats<kWidth> x = load_floats<kWidth>(p.a.at(at.pixel, at.channel));
  const Floats<kWidth> y = load_floats<kWidth>(p.b.at(at.pixel, at.channel));
  GPUEVAL_UNROLL
  for (int i = 0; i < kWidth; ++i) x.v[i] += y.v[i];
  p.bounds.apply(x);
  store_floats(p.dst.at(at.pixel, at.channel), x);
}

template <typename T>
struct ReluFloatParams {
  FloatView<T> src, dst;
  Items items;
  Bounds bounds;
};

template <typename T, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
relu_float_kernel(const ReluFloatParams<T> p) {
  Place at;
  if (!find_place<kWidth>(p.items, &at)) return;
  Floats<kWidth> x = load_floats<kWidth>(p.src.at(at.pixel, at.channel));
  p.bounds.apply(x);
  store_floats(p.dst.at(at.pixel, at.channel), x);
}

template <typename T>
struct BatchNormParams {
  FloatView<T> src, dst;
  const float *gain, *mean, *beta;
  Items items;
  Bounds bounds;
};

template <typename T, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
batch_norm_kernel(const BatchNormParams<T> p) {
  Place at;
  if (!find_place<kWidth>(p.items, &at)) return;
  Floats<kWidth> x = load_floats<kWidth>(p.src.at(at.pixel, at.channel));
  GPUEVAL_UNROLL
  for (int i = 0; i < kWidth; ++i) {
    const int c = at.channel + i;
    x.v[i] = (x.v[i] - p.mean[c]) * p.gain[c] + p.beta[c];  // not fused: the CPU's bits
  }
  p.bounds.apply(x);
  store_floats(p.dst.at(at.pixel, at.channel), x);
}

template <typename Src, typename Dst>
struct CastParams {
  FloatView<Src> src;
  FloatView<Dst> dst;
  Items items;
};

template <typename Src, typename Dst, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
cast_kernel(const CastParams<Src, Dst> p) {
  Place at;
  if (!find_place<kWidth>(p.items, &at)) return;
  store_floats(p.dst.at(at.pixel, at.channel), load_floats<kWidth>(p.src.at(at.pixel, at.channel)));
}

}  // namespace

void add_float(const cuda::DeviceView& a, const cuda::DeviceView& b, Activation act, const cuda::DeviceView& dst,
               cuda::Stream stream) {
  const char* name = "add_float";
  with_float_type({a, b, dst}, name, [&]<typename T, int kWidth>() {
    const AddFloatParams<T> params{float_view<T>(a), float_view<T>(b), float_view<T>(dst), items_of<kWidth>(dst.shape),
                                   bounds_of(act)};
    launch(stream, name, {.x = blocks_of(dst.shape.elements() / kWidth, name)}, kFloatThreads, 0,
           &add_float_kernel<T, kWidth>, params);
  });
}

void relu_float(const cuda::DeviceView& src, Activation act, const cuda::DeviceView& dst, cuda::Stream stream) {
  const char* name = "relu_float";
  with_float_type({src, dst}, name, [&]<typename T, int kWidth>() {
    const ReluFloatParams<T> params{float_view<T>(src), float_view<T>(dst), items_of<kWidth>(dst.shape),
                                    bounds_of(act)};
    launch(stream, name, {.x = blocks_of(dst.shape.elements() / kWidth, name)}, kFloatThreads, 0,
           &relu_float_kernel<T, kWidth>, params);
  });
}

void batch_norm(const cuda::DeviceView& src, const float* gain, const float* mean, const float* beta, Activation act,
                const cuda::DeviceView& dst, cuda::Stream stream) {
  const char* name = "batch_norm";
  with_float_type({src, dst}, name, [&]<typename T, int kWidth>() {
    const BatchNormParams<T> params{float_view<T>(src),          float_view<T>(dst), gain, mean, beta,
                                    items_of<kWidth>(dst.shape), bounds_of(act)};
    launch(stream, name, {.x = blocks_of(dst.shape.elements() / kWidth, name)}, kFloatThreads, 0,
           &batch_norm_kernel<T, kWidth>, params);
  });
}

void cast(const cuda::DeviceView& src, const cuda::DeviceView& dst, cuda::Stream stream) {
  const char* name = "cast";
  const auto run = [&]<typename Src, typename Dst, int kWidth>() {
    const CastParams<Src, Dst> params{float_view<Src>(src), float_view<Dst>(dst), items_of<kWidth>(dst.shape)};
    launch(stream, name, {.x = blocks_of(dst.shape.elements() / kWidth, name)}, kFloatThreads, 0,
           &cast_kernel<Src, Dst, kWidth>, params);
  };
  const bool wide = is_wide({src, dst});
  with_float_type(src.dtype, name, [&]<typename Src>() {
    with_float_type(dst.dtype, name, [&]<typename Dst>() {
      if (wide) {
        run.template operator()<Src, Dst, 4>();
      } else {
        run.template operator()<Src, Dst, 1>();
      }
    });
  });
}

}  // namespace gpueval::GPUEVAL_TARGET
