// SPDX-License-Identifier: Apache-2.0
// Between float32 and integers. A thread owns four channels: 16 bytes of floats, one word of integers, so that a warp
// moves 512 bytes in a row. No shared memory.
//
// Dynamic quantization takes three launches: the images' maxima start at zero; blocks find the largest magnitude of
// their part of an image and merge it by an integer maximum (the bits of non-negative floats order as integers, and a
// maximum does not depend on the order); every thread of the last launch derives the image's scale for itself.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/atomic.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/warp.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

// A float32 tensor and an integer one of its shape.
struct ConvertParams {
  float* floats;
  std::uint8_t* bytes;
  std::int64_t float_pitch, byte_pitch;
  int channels, groups, pixels_per_image;  // groups of four channels
  bool wide_floats, wide_bytes, is_signed, per_channel;
  const float* scale;  // quantize, dequantize
  float lo, hi;
  unsigned threads;
  // dynamic
  int* largest;
  float* image_scale;
  float weight_scale;
};

struct FourPlace {
  int pixel, channel, count;
};
GPUEVAL_DEVICE FourPlace four_place(const ConvertParams& a, unsigned thread) {
  const auto groups = static_cast<unsigned>(a.groups);
  const int channel = static_cast<int>(thread % groups) * 4, left = a.channels - channel;
  return {.pixel = static_cast<int>(thread / groups), .channel = channel, .count = left < 4 ? left : 4};
}

GPUEVAL_DEVICE void load_four(const ConvertParams& a, std::int64_t pixel, const FourPlace& at, float (&x)[4]) {
  const float* from = a.floats + pixel * a.float_pitch + at.channel;
  if (a.wide_floats && at.count == 4) {
    const auto v = load_global<Bytes16>(from);
    GPUEVAL_UNROLL
    for (int i = 0; i < 4; ++i) x[i] = bits_float(static_cast<int>(v.word[i]));
    return;
  }
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) x[i] = i < at.count ? from[i] : 0.0f;
}

GPUEVAL_DEVICE void store_quantized(const ConvertParams& a, const FourPlace& at, const float (&v)[4]) {
  std::uint8_t* to = a.bytes + at.pixel * a.byte_pitch + at.channel;
  const std::uint32_t word = quantize_four(v, a.lo, a.hi);
  if (a.wide_bytes && at.count == 4) {
    store_global(to, word);
    return;
  }
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) {
    if (i < at.count) to[i] = static_cast<std::uint8_t>(word >> i * 8);
  }
}

GPUEVAL_KERNEL(kOpThreads)
quantize_kernel(const ConvertParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= a.threads) return;
  const FourPlace at = four_place(a, thread);
  float x[4];
  load_four(a, at.pixel, at, x);
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) {
    if (i < at.count) x[i] = divide_rn(x[i], a.scale[a.per_channel ? at.channel + i : 0]);
  }
  store_quantized(a, at, x);
}

GPUEVAL_KERNEL(kOpThreads)
dequantize_kernel(const ConvertParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= a.threads) return;
  const FourPlace at = four_place(a, thread);
  const std::uint8_t* from = a.bytes + at.pixel * a.byte_pitch + at.channel;
  std::uint32_t word = 0;
  if (a.wide_bytes && at.count == 4) {
    word = load_global<std::uint32_t>(from);
  } else {
    GPUEVAL_UNROLL
    for (int i = 0; i < 4; ++i) {
      if (i < at.count) word |= static_cast<std::uint32_t>(from[i]) << i * 8;
    }
  }
  Bytes16 out = {{0, 0, 0, 0}};
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) {
    const auto byte = static_cast<std::uint8_t>(word >> i * 8);
    const int q = a.is_signed ? static_cast<std::int8_t>(byte) : byte;
    const float scale = i < at.count ? a.scale[a.per_channel ? at.channel + i : 0] : 0.0f;
    out.word[i] = static_cast<std::uint32_t>(float_bits(scale * int_to_float(q)));
  }
  float* to = a.floats + at.pixel * a.float_pitch + at.channel;
  if (a.wide_floats && at.count == 4) {
    store_global(to, out);
    return;
  }
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) {
    if (i < at.count) to[i] = bits_float(static_cast<int>(out.word[i]));
  }
}

struct ZeroParams {
  int* numbers;
  int count;
};

GPUEVAL_KERNEL(kOpThreads)
zero_numbers_kernel(const ZeroParams a) {
  begin_behind_previous_kernel();
  const int i = static_cast<int>(op_thread());
  if (i < a.count) a.numbers[i] = 0;
}

// Block x, of image y, takes every (number of blocks)-th run of kOpThreads groups.
GPUEVAL_KERNEL(kOpThreads)
max_abs_kernel(const ConvertParams a) {
  begin_behind_previous_kernel();
  const int image = static_cast<int>(block_index().y);
  const auto groups = static_cast<unsigned>(a.pixels_per_image) * static_cast<unsigned>(a.groups);
  const std::int64_t first = static_cast<std::int64_t>(image) * a.pixels_per_image;
  int largest = 0;
  for (unsigned thread = op_thread(); thread < groups; thread += grid_size().x * kOpThreads) {
    const FourPlace at = four_place(a, thread);
    float x[4];
    load_four(a, first + at.pixel, at, x);
    GPUEVAL_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int bits = float_bits(x[i]) & 0x7fffffff;
      largest = largest > bits ? largest : bits;
    }
  }
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const int other = shuffle_xor(largest, lanes);
    largest = largest > other ? largest : other;
  }
  if (thread_index().x % 32 == 0) atomic_max(a.largest + image, largest);
}

GPUEVAL_KERNEL(kOpThreads)
quantize_dynamic_kernel(const ConvertParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= a.threads) return;
  const FourPlace at = four_place(a, thread);
  const int image = at.pixel / a.pixels_per_image;
  const float largest = bits_float(a.largest[image]);
  const float scale = largest > 0.0f ? divide_rn(largest, 127.0f) : 1.0f;
  float x[4];
  load_four(a, at.pixel, at, x);
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) x[i] = divide_rn(x[i], scale);
  store_quantized(a, at, x);
  if (at.pixel == image * a.pixels_per_image && at.channel == 0) a.image_scale[image] = scale * a.weight_scale;
}

ConvertParams make_params(const char* name, const DeviceView& floats, const DeviceView& bytes) {
  cuda::expect_type(name, DType::kF32, floats);
  cuda::expect_integer(name, bytes);
  cuda::expect_shape(name, floats.shape, bytes);
  ConvertParams params{.floats = static_cast<float*>(floats.data),
                       .bytes = static_cast<std::uint8_t*>(bytes.data),
                       .float_pitch = floats.pitch,
                       .byte_pitch = bytes.pitch,
                       .channels = floats.shape.c,
                       .groups = (floats.shape.c + 3) / 4,
                       .pixels_per_image = floats.shape.h * floats.shape.w,
                       .wide_floats = aligned(floats, 16),
                       .wide_bytes = aligned(bytes, 4),
                       .is_signed = bytes.dtype == DType::kS8,
                       .lo = lowest(bytes.dtype),
                       .hi = highest(bytes.dtype)};
  params.threads = static_cast<unsigned>(floats.shape.pixels() * params.groups);
  return params;
}

}  // namespace

void quantize(const DeviceView& src, const float* scale, bool per_channel, const DeviceView& dst, Stream stream) {
  constexpr const char* kName = "quantize";
  ConvertParams params = make_params(kName, src, dst);
  params.scale = scale;
  params.per_channel = per_channel;
  const Grid grid = op_grid(kName, src.shape.pixels() * params.groups);
  launch_early(stream, kName, grid, kOpThreads, 0, quantize_kernel, params);
}

void dequantize(const DeviceView& src, const float* scale, bool per_channel, const DeviceView& dst, Stream stream) {
  constexpr const char* kName = "dequantize";
  ConvertParams params = make_params(kName, dst, src);
  params.scale = scale;
  params.per_channel = per_channel;
  const Grid grid = op_grid(kName, src.shape.pixels() * params.groups);
  launch_early(stream, kName, grid, kOpThreads, 0, dequantize_kernel, params);
}

void quantize_dynamic(const DeviceView& src, float weight_scale, const DeviceView& dst, float* image_scale,
                      int* scratch, Stream stream) {
  constexpr const char* kName = "quantize_dynamic";
  ConvertParams params = make_params(kName, src, dst);
  cuda::expect_type(kName, DType::kS8, dst);
  params.largest = scratch;
  params.image_scale = image_scale;
  params.weight_scale = weight_scale;
  launch_early(stream, kName, op_grid(kName, src.shape.n), kOpThreads, 0, zero_numbers_kernel,
               ZeroParams{.numbers = scratch, .count = src.shape.n});
  constexpr std::int64_t kGroupsPerThread = 8;  // enough to outweigh the reduction, few enough for small batches
  const std::int64_t groups = std::int64_t{params.pixels_per_image} * params.groups;
  const Grid maxima{.x = op_grid(kName, (groups + kGroupsPerThread - 1) / kGroupsPerThread).x,
                    .y = static_cast<unsigned>(src.shape.n)};
  launch_early(stream, kName, maxima, kOpThreads, 0, max_abs_kernel, params);
  const Grid grid = op_grid(kName, src.shape.pixels() * params.groups);
  launch_early(stream, kName, grid, kOpThreads, 0, quantize_dynamic_kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
