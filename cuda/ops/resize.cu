// SPDX-License-Identifier: Apache-2.0
// Linear resizing of float32 and float16 tensors: one thread four neighbouring channels (or one) of a pixel, of whose
// four sources the caches keep what the neighbours need. No shared memory.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/float_items.h"
#include "cuda/ops/float_view.h"
#include "cuda/ops/integer_checks.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

template <typename T>
struct ResizeParams {
  FloatView<T> src, dst;
  const Between *rows, *columns;
  Items items;
  int src_h, src_w, h, w;
};

GPUEVAL_DEVICE float mix(float a, float b, float fraction) { return a + (b - a) * fraction; }  // the CPU's bits

template <typename T, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
resize_linear_kernel(const ResizeParams<T> p) {
  Place at;
  if (!find_place<kWidth>(p.items, &at)) return;
  const auto pixel = static_cast<int>(at.pixel);
  const int row = pixel / p.w, image = row / p.h;
  const Between y = p.rows[row % p.h], x = p.columns[pixel % p.w];
  const std::int64_t above = (static_cast<std::int64_t>(image) * p.src_h + y.lower) * p.src_w;
  const std::int64_t below = (static_cast<std::int64_t>(image) * p.src_h + y.upper) * p.src_w;
  const Floats<kWidth> a = load_floats<kWidth>(p.src.at(above + x.lower, at.channel));
  const Floats<kWidth> b = load_floats<kWidth>(p.src.at(above + x.upper, at.channel));
  const Floats<kWidth> c = load_floats<kWidth>(p.src.at(below + x.lower, at.channel));
  const Floats<kWidth> d = load_floats<kWidth>(p.src.at(below + x.upper, at.channel));
  Floats<kWidth> result;
  GPUEVAL_UNROLL
  for (int i = 0; i < kWidth; ++i) {
    result.v[i] = mix(mix(a.v[i], b.v[i], x.fraction), mix(c.v[i], d.v[i], x.fraction), y.fraction);
  }
  store_floats(p.dst.at(at.pixel, at.channel), result);
}

}  // namespace

void resize_linear(const DeviceView& src, const Between* rows, const Between* columns, const DeviceView& dst,
                   Stream stream) {
  const char* name = "resize_linear";
  cuda::expect_alike(name, src, dst);
  with_float_type({src, dst}, name, [&]<typename T, int kWidth>() {
    const ResizeParams<T> params{.src = float_view<T>(src),
                                 .dst = float_view<T>(dst),
                                 .rows = rows,
                                 .columns = columns,
                                 .items = items_of<kWidth>(dst.shape),
                                 .src_h = src.shape.h,
                                 .src_w = src.shape.w,
                                 .h = dst.shape.h,
                                 .w = dst.shape.w};
    launch(stream, name, {.x = blocks_of(dst.shape.elements() / kWidth, name)}, kFloatThreads, 0,
           &resize_linear_kernel<T, kWidth>, params);
  });
}

}  // namespace gpueval::GPUEVAL_TARGET
