// SPDX-License-Identifier: Apache-2.0
// Softmax, normalizations and reductions of float32 and float16 tensors. A block takes one set of numbers (a pixel's
// channels, an image's group, or 32 channels of a reduction): each thread its share, with compensated sums (Kahan), and
// then a tree in shared memory adds the shares in a fixed order. Short sets get blocks of one warp.
#include <limits>

#include "cuda/ops/device_ops.h"
#include "cuda/ops/float_math.h"
#include "cuda/ops/float_view.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();

enum class Fold { kSum, kMaximum, kMinimum };

struct Accumulator {
  float value, lost;  // what was rounded away
  GPUEVAL_DEVICE explicit Accumulator(Fold fold)
      : value(fold == Fold::kSum       ? 0.0f
              : fold == Fold::kMaximum ? -kInfinite
                                       : kInfinite),
        lost(0.0f) {}
  GPUEVAL_DEVICE void take(Fold fold, float x) {
    if (fold == Fold::kSum) {
      const float add = x - lost, sum = value + add;
      lost = (sum - value) - add;
      value = sum;
    } else {
      value = fold == Fold::kMaximum ? max_of(value, x) : min_of(value, x);
    }
  }
};

GPUEVAL_DEVICE float fold_two(Fold fold, float a, float b) {
  return fold == Fold::kSum ? a + b : fold == Fold::kMaximum ? max_of(a, b) : min_of(a, b);
}

// Of all threads' values, in every thread.
template <int kThreads>
GPUEVAL_DEVICE float fold_block(Fold fold, float value) {
  const Shared<float> shares(0, kThreads);
  const int thread = static_cast<int>(thread_index().x);
  block_barrier();  // the last result has been read
  shares[thread] = value;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    block_barrier();
    if (thread < half) shares[thread] = fold_two(fold, shares[thread], shares[thread + half]);
  }
  block_barrier();
  return shares[0];
}

// A block's set: `count` channels of `pixels` pixels.
template <typename T>
struct SetParams {
  FloatView<T> src, dst;
  const float *gamma, *beta;
  int pixels, count, groups;  // groups of `count` channels: sets of a pixel, or of an image
  Normalize op;
};

template <typename T>
struct Set {
  const SetParams<T>& p;
  std::int64_t pixel;
  int channel, size;
  GPUEVAL_DEVICE explicit Set(const SetParams<T>& params)
      : p(params),
        pixel(static_cast<std::int64_t>(block_index().x / static_cast<unsigned>(params.groups)) * params.pixels),
        channel(static_cast<int>(block_index().x % static_cast<unsigned>(params.groups)) * params.count),
        size(params.pixels * params.count) {}
  GPUEVAL_DEVICE float load(int i) const {
    return load_floats<1>(p.src.at(pixel + i / p.count, channel + i % p.count)).v[0];
  }
  GPUEVAL_DEVICE void store(int i, float x) const {
    const Floats<1> one{{x}};
    store_floats(p.dst.at(pixel + i / p.count, channel + i % p.count), one);
  }
  // Of value(x) of all numbers.
  template <int kThreads, typename Value>
  GPUEVAL_DEVICE float fold(Fold how, const Value& value) const {
    Accumulator share(how);
    for (int i = static_cast<int>(thread_index().x); i < size; i += kThreads) share.take(how, value(load(i)));
    return fold_block<kThreads>(how, share.value);
  }
};

template <typename T, int kThreads>
GPUEVAL_KERNEL(kThreads)
softmax_kernel(const SetParams<T> p) {
  const Set<T> set(p);
  const float most = set.template fold<kThreads>(Fold::kMaximum, [](float x) { return x; });
  const float sum = set.template fold<kThreads>(Fold::kSum, [&](float x) { return exponential(x - most); });
  for (int i = static_cast<int>(thread_index().x); i < set.size; i += kThreads) {
    set.store(i, divide_rn(exponential(set.load(i) - most), sum));
  }
}

template <typename T, int kThreads>
GPUEVAL_KERNEL(kThreads)
normalize_kernel(const SetParams<T> p) {
  const Set<T> set(p);
  const bool centred = p.op.kind == NormalizeKind::kLayer || p.op.kind == NormalizeKind::kGroup;
  const float size = int_to_float(set.size);
  float mean = 0;
  if (centred) mean = divide_rn(set.template fold<kThreads>(Fold::kSum, [](float x) { return x; }), size);
  const float squares = set.template fold<kThreads>(Fold::kSum, [&](float x) { return (x - mean) * (x - mean); });
  const float under_root =
      p.op.kind == NormalizeKind::kL2 ? max_of(squares, p.op.eps) : divide_rn(squares, size) + p.op.eps;
  const float root = sqrt_rn(under_root);
  for (int i = static_cast<int>(thread_index().x); i < set.size; i += kThreads) {
    const int c = set.channel + i % p.count;
    float x = divide_rn(set.load(i) - mean, root);
    if (p.gamma != nullptr) x = x * p.gamma[c];
    if (p.beta != nullptr) x = x + p.beta[c];
    set.store(i, x);
  }
}

constexpr int kReduceLanes = 32, kReduceSlices = 8, kReduceThreads = kReduceLanes * kReduceSlices;

template <typename T>
struct ReduceParams {
  FloatView<T> src, dst;
  int h, w, c;       // of the source
  int out_h, out_w;  // of the result
  bool over_h, over_w, over_c;
  Fold fold;
  float divisor;
  unsigned parts;
};

// Lanes side by side in the channels, slices in the pixels. Blocks: parts of 32 channels of a result's pixel, then
// pixels.
template <typename T>
GPUEVAL_KERNEL(kReduceThreads)
reduce_kernel(const ReduceParams<T> p) {
  const int thread = static_cast<int>(thread_index().x), lane = thread % kReduceLanes, slice = thread / kReduceLanes;
  const int part = static_cast<int>(block_index().x % p.parts), result = static_cast<int>(block_index().x / p.parts);
  const int x = result % p.out_w, y = result / p.out_w % p.out_h, image = result / p.out_w / p.out_h;
  const int rows = p.over_h ? p.h : 1, columns = p.over_w ? p.w : 1;
  const int first = part * kReduceLanes + lane;
  const int channel_end = p.over_c || first >= p.c ? p.c : first + 1;
  Accumulator share(p.fold);
  for (int i = slice; i < rows * columns; i += kReduceSlices) {
    const int row = (p.over_h ? 0 : y) + i / columns, column = (p.over_w ? 0 : x) + i % columns;
    const std::int64_t pixel = (static_cast<std::int64_t>(image) * p.h + row) * p.w + column;
    for (int c = first; c < channel_end; c += kReduceLanes) {
      share.take(p.fold, load_floats<1>(p.src.at(pixel, c)).v[0]);
    }
  }
  const Shared<float> shares(0, kReduceThreads);
  shares[thread] = share.value;
  block_barrier();
  const int last = p.over_c ? 1 : kReduceLanes;  // results of the block
  for (int half = kReduceThreads / 2; half >= last; half /= 2) {
    if (thread < half) shares[thread] = fold_two(p.fold, shares[thread], shares[thread + half]);
    block_barrier();
  }
  if (thread >= last || first >= (p.over_c ? kReduceLanes : p.c)) return;
  const Floats<1> value{{divide_rn(shares[thread], p.divisor)}};
  store_floats(p.dst.at(result, p.over_c ? 0 : first), value);
}

// Sets of `pixels` pixels and `count` channels, by blocks as wide as they are.
template <typename Launch>
void launch_sets(const DeviceView& src, int pixels, int count, const char* name, Launch&& start) {
  const std::int64_t sets = src.shape.pixels() / pixels * (src.shape.c / count);
  blocks_of(sets, name);  // a block each: as many as a grid has
  const Grid grid{.x = static_cast<unsigned>(sets)};
  if (std::int64_t{pixels} * count <= 256) {
    start.template operator()<32>(grid);
  } else {
    start.template operator()<256>(grid);
  }
}

}  // namespace

void softmax_float(const DeviceView& src, const DeviceView& dst, Stream stream) {
  const char* name = "softmax_float";
  with_float_type({src, dst}, name, [&]<typename T, int>() {
    const SetParams<T> params{.src = float_view<T>(src),
                              .dst = float_view<T>(dst),
                              .gamma = nullptr,
                              .beta = nullptr,
                              .pixels = 1,
                              .count = src.shape.c,
                              .groups = 1,
                              .op = {}};
    launch_sets(src, 1, src.shape.c, name, [&]<int kThreads>(const Grid& grid) {
      launch(stream, name, grid, kThreads, kThreads * sizeof(float), &softmax_kernel<T, kThreads>, params);
    });
  });
}

void normalize_float(const DeviceView& src, const Normalize& op, const float* gamma, const float* beta,
                     const DeviceView& dst, Stream stream) {
  const char* name = "normalize_float";
  const bool grouped = op.kind == NormalizeKind::kGroup;
  const int pixels = grouped ? src.shape.h * src.shape.w : 1, groups = grouped ? op.groups : 1;
  with_float_type({src, dst}, name, [&]<typename T, int>() {
    const SetParams<T> params{.src = float_view<T>(src),
                              .dst = float_view<T>(dst),
                              .gamma = gamma,
                              .beta = beta,
                              .pixels = pixels,
                              .count = src.shape.c / groups,
                              .groups = groups,
                              .op = op};
    launch_sets(src, pixels, src.shape.c / groups, name, [&]<int kThreads>(const Grid& grid) {
      launch(stream, name, grid, kThreads, kThreads * sizeof(float), &normalize_kernel<T, kThreads>, params);
    });
  });
}

void reduce_float(const DeviceView& src, const Reduce& op, const DeviceView& dst, Stream stream) {
  const char* name = "reduce_float";
  const Shape& in = src.shape;
  const float size =
      static_cast<float>(op.h ? in.h : 1) * static_cast<float>(op.w ? in.w : 1) * static_cast<float>(op.c ? in.c : 1);
  const Fold fold = op.kind == ReduceKind::kMaximum   ? Fold::kMaximum
                    : op.kind == ReduceKind::kMinimum ? Fold::kMinimum
                                                      : Fold::kSum;
  const unsigned parts = static_cast<unsigned>((dst.shape.c + kReduceLanes - 1) / kReduceLanes);
  const std::int64_t blocks = dst.shape.pixels() * parts;
  blocks_of(blocks, name);  // as many as a grid has
  with_float_type({src, dst}, name, [&]<typename T, int>() {
    const ReduceParams<T> params{.src = float_view<T>(src),
                                 .dst = float_view<T>(dst),
                                 .h = in.h,
                                 .w = in.w,
                                 .c = in.c,
                                 .out_h = dst.shape.h,
                                 .out_w = dst.shape.w,
                                 .over_h = op.h,
                                 .over_w = op.w,
                                 .over_c = op.c,
                                 .fold = fold,
                                 .divisor = op.kind == ReduceKind::kMean ? size : 1.0f,
                                 .parts = parts};
    launch(stream, name, {.x = static_cast<unsigned>(blocks)}, kReduceThreads, kReduceThreads * sizeof(float),
           &reduce_kernel<T>, params);
  });
}

}  // namespace gpueval::GPUEVAL_TARGET
