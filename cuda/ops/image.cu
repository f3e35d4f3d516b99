// SPDX-License-Identifier: Apache-2.0
// Image preprocessing, one thread a destination pixel: bilinear resize, byte table, and quantization if asked for.
//
// The resize gives OpenCV's bytes (cv::resize, u8, INTER_LINEAR): coordinates in double, weights in 11 bits, rows
// interpolated to 19-bit sums, columns from their upper 15 bits; halving both sides exactly is a 2x2 mean instead.
// Positions depend on the two sizes only, but computing them a pixel costs less than a table of them would to pass on.
// No shared memory: the four source pixels come from the caches.
#include <cmath>
#include <limits>

#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

enum class Resize { kNone, kHalve, kLinear };

struct PreprocessParams {
  const std::uint8_t* rgb;
  std::int64_t rgb_pitch, dst_pitch;
  int h, w, dst_h, dst_w;
  double step_y, step_x;  // source pixels a destination pixel
  Resize resize;
  const float* table;
  bool bgr, dst_float;
  void* dst;
  float scale, lo, hi;
  unsigned threads;
};

// The two source positions of a destination position and their weights, of 2048 in all.
struct LinearTaps {
  int at[2];
  int weight[2];
};

GPUEVAL_DEVICE int clamp_to(int value, int size) { return value < 0 ? 0 : value < size ? value : size - 1; }

// Beyond the border columns get one tap with all the weight, rows two equal ones: their sums round differently.
template <bool kColumns>
GPUEVAL_DEVICE LinearTaps linear_taps(int out, double step, int size) {
  constexpr float kOne = 2048.0f;
  const auto position = static_cast<float>((out + 0.5) * step - 0.5);
  int first = static_cast<int>(position);
  if (static_cast<float>(first) > position) --first;
  float fraction = position - static_cast<float>(first);
  if (kColumns && (first < 0 || first >= size - 1)) fraction = 0.0f;
  return {.at = {clamp_to(first, size), clamp_to(first + 1, size)},
          .weight = {round_to_int((1.0f - fraction) * kOne), round_to_int(fraction * kOne)}};
}

// The resized byte of each channel.
GPUEVAL_DEVICE void resized_pixel(const PreprocessParams& a, int image, int y, int x, int (&bytes)[3]) {
  const std::uint8_t* rgb = a.rgb + static_cast<std::int64_t>(image) * a.h * a.w * a.rgb_pitch;
  if (a.resize == Resize::kNone) {
    const std::uint8_t* pixel = rgb + (static_cast<std::int64_t>(y) * a.w + x) * a.rgb_pitch;
    GPUEVAL_UNROLL
    for (int c = 0; c < 3; ++c) bytes[c] = pixel[c];
    return;
  }
  LinearTaps rows = {{2 * y, 2 * y + 1}, {1, 1}}, columns = {{2 * x, 2 * x + 1}, {1, 1}};
  if (a.resize == Resize::kLinear) {
    rows = linear_taps<false>(y, a.step_y, a.h);
    columns = linear_taps<true>(x, a.step_x, a.w);
  }
  int sums[2][3];
  GPUEVAL_UNROLL
  for (int i = 0; i < 2; ++i) {
    const std::uint8_t* row = rgb + static_cast<std::int64_t>(rows.at[i]) * a.w * a.rgb_pitch;
    const std::uint8_t *left = row + columns.at[0] * a.rgb_pitch, *right = row + columns.at[1] * a.rgb_pitch;
    GPUEVAL_UNROLL
    for (int c = 0; c < 3; ++c) sums[i][c] = left[c] * columns.weight[0] + right[c] * columns.weight[1];
  }
  GPUEVAL_UNROLL
  for (int c = 0; c < 3; ++c) {
    bytes[c] =
        a.resize == Resize::kHalve
            ? (sums[0][c] + sums[1][c] + 2) >> 2
            : (((rows.weight[0] * (sums[0][c] >> 4)) >> 16) + ((rows.weight[1] * (sums[1][c] >> 4)) >> 16) + 2) >> 2;
  }
}

GPUEVAL_KERNEL(kOpThreads)
preprocess_kernel(const PreprocessParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= a.threads) return;
  const auto w = static_cast<unsigned>(a.dst_w), h = static_cast<unsigned>(a.dst_h);
  const unsigned row = thread / w;
  int bytes[3];
  resized_pixel(a, static_cast<int>(row / h), static_cast<int>(row % h), static_cast<int>(thread % w), bytes);
  const std::int64_t at = static_cast<std::int64_t>(thread) * a.dst_pitch;
  GPUEVAL_UNROLL
  for (int c = 0; c < 3; ++c) {
    const float v = a.table[c * 256 + (a.bgr ? bytes[2 - c] : bytes[c])];
    if (a.dst_float) {
      static_cast<float*>(a.dst)[at + c] = v;
    } else {
      const float q = min_of(max_of(divide_rn(v, a.scale), a.lo), a.hi);
      static_cast<std::uint8_t*>(a.dst)[at + c] = static_cast<std::uint8_t>(round_to_int(q));
    }
  }
}

// OpenCV's own arithmetic: the reciprocal of the ratio, and that within epsilon of 2.
double step_of(int src, int dst) { return 1.0 / (static_cast<double>(dst) / src); }
bool is_two(double step) { return std::fabs(step - 2.0) < std::numeric_limits<double>::epsilon(); }

}  // namespace

void preprocess(const DeviceView& rgb, const float* table, bool bgr, float scale, const DeviceView& dst,
                Stream stream) {
  constexpr const char* kName = "preprocess";
  const Shape &from = rgb.shape, &to = dst.shape;
  cuda::expect_images(kName, rgb, dst);
  if (dst.dtype != DType::kF32) cuda::expect_integer(kName, dst);
  PreprocessParams params{.rgb = static_cast<const std::uint8_t*>(rgb.data),
                          .rgb_pitch = rgb.pitch,
                          .dst_pitch = dst.pitch,
                          .h = from.h,
                          .w = from.w,
                          .dst_h = to.h,
                          .dst_w = to.w,
                          .step_y = step_of(from.h, to.h),
                          .step_x = step_of(from.w, to.w),
                          .resize = Resize::kLinear,
                          .table = table,
                          .bgr = bgr,
                          .dst_float = dst.dtype == DType::kF32,
                          .dst = dst.data,
                          .scale = scale,
                          .lo = lowest(dst.dtype),
                          .hi = highest(dst.dtype)};
  if (is_two(params.step_x) && is_two(params.step_y)) params.resize = Resize::kHalve;
  if (from.h == to.h && from.w == to.w) params.resize = Resize::kNone;
  const std::int64_t threads = to.pixels();
  const Grid grid = op_grid(kName, threads);
  params.threads = static_cast<unsigned>(threads);
  launch_early(stream, kName, grid, kOpThreads, 0, preprocess_kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
