// SPDX-License-Identifier: Apache-2.0
// The end of every integer convolution, in one place: accumulator -> requantized output (the formula in conv_kernel.h).
// A row is an output pixel of the batch, n * P * Q + p * Q + q.
#pragma once

#include <cmath>

#include "cuda/conv/conv_kernel.h"
#include "cuda/prim/arithmetic.h"
#include "cuda/prim/saturate.h"
#include "cuda/prim/vector.h"

namespace gpueval::GPUEVAL_TARGET {

struct Epilogue {
  const float* m;
  const float* b;
  const float* image_scale;  // null: m
  const void* residual;      // null: none
  void* dst;
  int k, dst_pitch, residual_pitch, pixels_per_image;
  float lo, hi, residual_scale;
  bool dst_float, dst_unsigned, residual_unsigned;
  bool saturates;  // see saturates()
  bool quads;      // destination and residual allow four channels, from a multiple of 4 on, to be moved at once
};

// Whether what is `pitch` bytes apart from `address` on is all aligned to so many bytes.
inline bool aligned_to(const void* address, int pitch, int bytes) {
  return reinterpret_cast<std::uintptr_t>(address) % static_cast<std::uintptr_t>(bytes) == 0 && pitch % bytes == 0;
}

// True if the element's own range does what [lo, hi] demands, but for lo of s8 (-127 in nearly all layers): u8 needs no
// clamp, s8 the lower one.
inline bool saturates(DType dst, float lo, float hi) {
  return dst == DType::kU8 ? std::nearbyint(lo) <= 0 && std::nearbyint(hi) >= 255
                           : dst == DType::kS8 && std::nearbyint(hi) >= 127;
}

inline Epilogue make_epilogue(const cuda::ConvProblem& problem, const cuda::ConvArgs& args) {
  const auto element = static_cast<int>(size_of(problem.dst));
  return {.m = args.m,
          .b = args.b,
          .image_scale = args.image_scale,
          .residual = args.residual,
          .dst = args.dst,
          .k = problem.desc.k,
          .dst_pitch = problem.dst_pitch,
          .residual_pitch = problem.residual_pitch,
          .pixels_per_image = problem.desc.p() * problem.desc.q(),
          .lo = args.lo,
          .hi = args.hi,
          .residual_scale = args.residual_scale,
          .dst_float = problem.dst == DType::kF32,
          .dst_unsigned = problem.dst == DType::kU8,
          .residual_unsigned = problem.residual == DType::kU8,
          .saturates = saturates(problem.dst, args.lo, args.hi),
          .quads = aligned_to(args.dst, problem.dst_pitch * element, 4 * element) &&
                   (args.residual == nullptr || aligned_to(args.residual, problem.residual_pitch, 4))};
}

// Nearly all layers: bytes that saturate, by known factors that can be read four at a time, and no residual.
inline bool is_plain(const Epilogue& e) {
  return e.saturates && e.residual == nullptr && e.image_scale == nullptr && aligned_to(e.m, 0, 16) &&
         aligned_to(e.b, 0, 16);
}

// What a row needs of dynamic quantization: one number for all its channels. Unused otherwise.
GPUEVAL_DEVICE float row_scale(const Epilogue& e, int row) {
  return e.image_scale != nullptr ? e.image_scale[row / e.pixels_per_image] : 0.0f;
}

GPUEVAL_DEVICE int residual_at(const Epilogue& e, int row, int channel) {
  const std::int64_t at = static_cast<std::int64_t>(row) * e.residual_pitch + channel;
  return e.residual_unsigned ? static_cast<const std::uint8_t*>(e.residual)[at]
                             : static_cast<const std::int8_t*>(e.residual)[at];
}

// v before the upper clamp, with m, b and the residual r (ignored without one) at hand; acc: the sum as a float.
GPUEVAL_DEVICE float epilogue_value_of(const Epilogue& e, float acc, float m, float b, int r) {
  float v = fma_rn(acc, m, b);
  if (e.residual != nullptr) v = fma_rn(int_to_float(r), e.residual_scale, v);
  return max_of(v, e.lo);
}
GPUEVAL_DEVICE float epilogue_value(const Epilogue& e, int acc, float m, float b, int r) {
  return epilogue_value_of(e, int_to_float(acc), m, b, r);
}

GPUEVAL_DEVICE int quantized(const Epilogue& e, float v) { return round_to_int(min_of(v, e.hi)); }

// One output element, everything read from memory: correct anywhere, for naive kernels and ragged edges.
GPUEVAL_DEVICE void store_output(const Epilogue& e, int row, int channel, int acc) {
  const float m = e.image_scale != nullptr ? row_scale(e, row) : e.m[channel];
  const int r = e.residual != nullptr ? residual_at(e, row, channel) : 0;
  const float v = epilogue_value(e, acc, m, e.b[channel], r);
  const std::int64_t at = static_cast<std::int64_t>(row) * e.dst_pitch + channel;
  if (e.dst_float) {
    static_cast<float*>(e.dst)[at] = v;
  } else {
    static_cast<std::uint8_t*>(e.dst)[at] = static_cast<std::uint8_t>(quantized(e, v));
  }
}

struct alignas(16) Quad {
  float value[4];
};

// Four output bytes of a plain layer; acc: the sums as floats.
template <bool kUnsigned>
GPUEVAL_DEVICE std::uint32_t plain_quad(const Epilogue& e, const Quad& m, const Quad& b, const float (&acc)[4]) {
  float v[4];
  GPUEVAL_UNROLL
  for (int c = 0; c < 4; ++c) {
    v[c] = fma_rn(acc[c], m.value[c], b.value[c]);
    if constexpr (!kUnsigned) v[c] = max_of(v[c], e.lo);
  }
  return saturated_four<kUnsigned>(v);
}

// m and b of the four channels from `channel`, a multiple of 4, on; zeros behind the last one.
struct QuadScale {
  float m[4], b[4];
};

GPUEVAL_DEVICE QuadScale quad_scale(const Epilogue& e, int channel) {
  QuadScale scale;
  GPUEVAL_UNROLL
  for (int j = 0; j < 4; ++j) {
    const bool real = channel + j < e.k;
    scale.m[j] = real && e.image_scale == nullptr ? e.m[channel + j] : 0.0f;
    scale.b[j] = real ? e.b[channel + j] : 0.0f;
  }
  return scale;
}

// Four neighbouring output channels of a row; dynamic: row_scale(e, row). Of a ragged edge only the real ones.
GPUEVAL_DEVICE void store_quad(const Epilogue& e, int row, int channel, const QuadScale& scale, float dynamic,
                               const int (&acc)[4]) {
  const bool whole = e.quads && channel + 4 <= e.k;
  std::uint32_t residual = 0;
  if (e.residual != nullptr) {
    const auto* from =
        static_cast<const std::uint8_t*>(e.residual) + static_cast<std::int64_t>(row) * e.residual_pitch + channel;
    if (whole) {
      residual = *reinterpret_cast<const std::uint32_t*>(from);
    } else {
      GPUEVAL_UNROLL
      for (int j = 0; j < 4; ++j) {
        if (channel + j < e.k) residual |= static_cast<std::uint32_t>(from[j]) << 8 * j;
      }
    }
  }
  float v[4];
  GPUEVAL_UNROLL
  for (int j = 0; j < 4; ++j) {
    const int r = e.residual_unsigned ? static_cast<std::uint8_t>(residual >> 8 * j)
                                      : static_cast<std::int8_t>(residual >> 8 * j);
    v[j] = epilogue_value(e, acc[j], e.image_scale != nullptr ? dynamic : scale.m[j], scale.b[j], r);
  }
  const std::int64_t at = static_cast<std::int64_t>(row) * e.dst_pitch + channel;
  if (e.dst_float) {
    float* const to = static_cast<float*>(e.dst) + at;
    if (whole) {
      store_global(to, Quad{{v[0], v[1], v[2], v[3]}});
    } else {
      GPUEVAL_UNROLL
      for (int j = 0; j < 4; ++j) {
        if (channel + j < e.k) to[j] = v[j];
      }
    }
    return;
  }
  std::uint32_t bytes = 0;
  GPUEVAL_UNROLL
  for (int j = 0; j < 4; ++j) bytes |= (static_cast<std::uint32_t>(quantized(e, v[j])) & 0xffu) << 8 * j;
  auto* const to = static_cast<std::uint8_t*>(e.dst) + at;
  if (whole) {
    store_global(to, bytes);
  } else {
    GPUEVAL_UNROLL
    for (int j = 0; j < 4; ++j) {
      if (channel + j < e.k) to[j] = static_cast<std::uint8_t>(bytes >> 8 * j);
    }
  }
}

}  // namespace gpueval::GPUEVAL_TARGET
