// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/float32/functions.h"
#include "cpu/float_ops.h"

namespace gpueval::cpu {
namespace {

constexpr int kSums = 64;  // at a time, each its own: so that they vectorise

// What `kind` makes of two numbers, and what it begins with.
struct Adding {
  static constexpr double kFirst = 0;
  static double of(double a, double b) { return a + b; }
};
struct Larger {
  static constexpr double kFirst = -std::numeric_limits<double>::infinity();
  static double of(double a, double b) { return a > b ? a : b; }
};
struct Smaller {
  static constexpr double kFirst = std::numeric_limits<double>::infinity();
  static double of(double a, double b) { return a < b ? a : b; }
};

// sums[i % kSums] of take(x[i])
template <typename Combine, typename Take>
void accumulate(const float* x, int count, double* sums, Take&& take) {
  for (int i = 0; i < count; i += kSums) {
    const int left = std::min(kSums, count - i);
    for (int k = 0; k < left; ++k) sums[k] = Combine::of(sums[k], take(double{x[i + k]}));
  }
}

template <typename Combine>
double fold(const double* sums) {
  double all = Combine::kFirst;
  for (int k = 0; k < kSums; ++k) all = Combine::of(all, sums[k]);
  return all;
}

// `count` channels of `pixels` pixels.
struct Patch {
  const float* first;
  std::int64_t pixels, pitch;
  int count;
  template <typename Take>
  double sum(Take&& take) const {
    double sums[kSums] = {};
    for (std::int64_t i = 0; i < pixels; ++i) accumulate<Adding>(first + i * pitch, count, sums, take);
    return fold<Adding>(sums);
  }
  double size() const { return static_cast<double>(pixels) * count; }
};

// y = (x - mean) * factor
struct Normalized {
  double mean = 0, factor = 1;
};
Normalized normalized(const Normalize& op, const Patch& patch) {
  const double eps = op.eps;
  const auto square = [](double x) { return x * x; };
  if (op.kind == NormalizeKind::kRms) return {0, 1 / std::sqrt(patch.sum(square) / patch.size() + eps)};
  if (op.kind == NormalizeKind::kL2) return {0, 1 / std::sqrt(std::max(patch.sum(square), eps))};
  const double mean = patch.sum([](double x) { return x; }) / patch.size();
  const double variance = patch.sum([=](double x) { return (x - mean) * (x - mean); }) / patch.size();
  return {mean, 1 / std::sqrt(variance + eps)};
}

// gamma, beta: from the first channel of the patch on; dst: its place there.
void write(const Patch& patch, const Normalized& to, const float* gamma, const float* beta, float* dst,
           std::int64_t dst_pitch) {
  for (std::int64_t i = 0; i < patch.pixels; ++i) {
    const float* x = patch.first + i * patch.pitch;
    float* out = dst + i * dst_pitch;
    for (int c = 0; c < patch.count; ++c) out[c] = static_cast<float>((x[c] - to.mean) * to.factor);
    if (gamma != nullptr) {
      for (int c = 0; c < patch.count; ++c) out[c] *= gamma[c];
    }
    if (beta != nullptr) {
      for (int c = 0; c < patch.count; ++c) out[c] += beta[c];
    }
  }
}

// A part of the result's channels (all of the source's, if they are reduced) at one of its pixels.
template <typename Combine>
void reduce_part(const TensorView& src, const Reduce& op, const TensorView& dst, std::int64_t pixel, int channel) {
  const Shape &in = src.shape, &out = dst.shape;
  const int x = static_cast<int>(pixel % out.w), y = static_cast<int>(pixel / out.w % out.h);
  const std::int64_t image = pixel / out.w / out.h;
  const int count = op.c ? in.c : std::min(kSums, in.c - channel);
  double sums[kSums];
  std::fill(std::begin(sums), std::end(sums), Combine::kFirst);
  for (int h = op.h ? 0 : y; h < (op.h ? in.h : y + 1); ++h) {
    for (int w = op.w ? 0 : x; w < (op.w ? in.w : x + 1); ++w) {
      const float* from = row(src, (image * in.h + h) * in.w + w) + channel;
      accumulate<Combine>(from, count, sums, [](double value) { return value; });
    }
  }
  const double taken = double(op.h ? in.h : 1) * (op.w ? in.w : 1) * (op.c ? in.c : 1);
  const double divisor = op.kind == ReduceKind::kMean ? taken : 1;
  float* to = row_out(dst, pixel) + channel;
  if (op.c) {
    *to = static_cast<float>(fold<Combine>(sums) / divisor);
    return;
  }
  for (int c = 0; c < count; ++c) to[c] = static_cast<float>(sums[c] / divisor);
}

template <typename Combine>
void reduce_with(const TensorView& src, const Reduce& op, const TensorView& dst) {
  const int parts = (dst.shape.c + kSums - 1) / kSums;
  parallel_for(dst.shape.pixels() * parts, [&](std::int64_t task) {
    reduce_part<Combine>(src, op, dst, task / parts, static_cast<int>(task % parts) * kSums);
  });
}

}  // namespace

void softmax_f32(const TensorView& src, const TensorView& dst) {
  const auto exp_sum = function_set().exp_sum;
  parallel_for(src.shape.pixels(), [&](std::int64_t pixel) {
    const float* x = row(src, pixel);
    float* out = row_out(dst, pixel);
    const double sum = exp_sum(x, *std::max_element(x, x + src.shape.c), out, src.shape.c);
    for (int c = 0; c < src.shape.c; ++c) out[c] = static_cast<float>(out[c] / sum);
  });
}

void normalize_f32(const TensorView& src, const Normalize& op, const std::vector<float>* gamma,
                   const std::vector<float>* beta, const TensorView& dst) {
  const bool groups = op.kind == NormalizeKind::kGroup;
  const Shape& shape = src.shape;
  const std::int64_t pixels = groups ? std::int64_t{shape.h} * shape.w : 1;
  const int parts = groups ? op.groups : 1, count = shape.c / parts;
  parallel_for(shape.pixels() / pixels * parts, [&](std::int64_t task) {
    const std::int64_t pixel = task / parts * pixels;
    const int channel = static_cast<int>(task % parts) * count;
    const Patch patch{row(src, pixel) + channel, pixels, src.pitch, count};
    write(patch, normalized(op, patch), gamma != nullptr ? gamma->data() + channel : nullptr,
          beta != nullptr ? beta->data() + channel : nullptr, row_out(dst, pixel) + channel, dst.pitch);
  });
}

void reduce_f32(const TensorView& src, const Reduce& op, const TensorView& dst) {
  switch (op.kind) {
    case ReduceKind::kMean:
    case ReduceKind::kSum:
      return reduce_with<Adding>(src, op, dst);
    case ReduceKind::kMaximum:
      return reduce_with<Larger>(src, op, dst);
    case ReduceKind::kMinimum:
      return reduce_with<Smaller>(src, op, dst);
  }
}

}  // namespace gpueval::cpu
