// SPDX-License-Identifier: Apache-2.0
// s8 and u8 tensors for the integer operations: a thread owns up to 16 neighbouring channels of a pixel, moved by one
// instruction where pitch and alignment allow, byte by byte elsewhere and at the last channels.
//
// Signed bytes are handled as unsigned ones with the sign bit turned over (q + 128): maxima and sums then need one
// form, and a byte becomes a float by placing it in the mantissa of 2^23.
#pragma once

#include "cuda/ops/integer_checks.h"
#include "cuda/ops/ops.h"
#include "cuda/prim/arithmetic.h"
#include "cuda/prim/bytes.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/vector.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {

inline constexpr unsigned kOpThreads = 256;

inline Grid op_grid(const char* op, std::int64_t threads) { return {.x = cuda::blocks_for(op, threads, kOpThreads)}; }

inline bool aligned(const cuda::DeviceView& view, std::size_t bytes) {
  const auto pitch = static_cast<std::size_t>(view.pitch) * size_of(view.dtype);
  return reinterpret_cast<std::uintptr_t>(view.data) % bytes == 0 && pitch % bytes == 0;
}

struct ByteView {
  std::uint8_t* data;
  std::int64_t pitch;
  std::uint32_t flips;  // turns bytes into q + 128, or leaves unsigned ones
  float offset;         // of 2^23 + the byte, with the zero point
  bool wide;            // 16 bytes at once
};

inline ByteView byte_view(const char* op, const cuda::DeviceView& view) {
  cuda::expect_integer(op, view);
  const bool is_signed = view.dtype == DType::kS8;
  return {.data = static_cast<std::uint8_t*>(view.data),
          .pitch = view.pitch,
          .flips = is_signed ? 0x80808080u : 0u,
          .offset = (is_signed ? 8388608.0f + 128.0f : 8388608.0f) + static_cast<float>(view.zero_point),
          .wide = aligned(view, 16)};
}

// What load_channels' bytes are above their values.
inline int byte_offset(const cuda::DeviceView& view) { return (view.dtype == DType::kS8 ? 128 : 0) + view.zero_point; }
inline float lowest(DType type) { return type == DType::kS8 ? -127.0f : 0.0f; }
inline float highest(DType type) { return type == DType::kS8 ? 127.0f : 255.0f; }
inline int channel_groups(const cuda::DeviceView& view) { return (view.shape.c + 15) / 16; }

// A thread's channels: neighbouring threads have neighbouring groups, then pixels.
struct ChannelPlace {
  int pixel, channel, count;
};
GPUEVAL_DEVICE ChannelPlace channel_place(unsigned thread, int groups, int channels) {
  const unsigned pixel = thread / static_cast<unsigned>(groups), group = thread % static_cast<unsigned>(groups);
  const int channel = static_cast<int>(group) * 16, left = channels - channel;
  return {.pixel = static_cast<int>(pixel), .channel = channel, .count = left < 16 ? left : 16};
}
GPUEVAL_DEVICE unsigned op_thread() { return block_index().x * kOpThreads + thread_index().x; }

// count channels as q + 128 or u8; what is beyond them is unspecified.
GPUEVAL_DEVICE Bytes16 load_channels(const ByteView& view, std::int64_t pixel, int channel, int count) {
  const std::uint8_t* at = view.data + pixel * view.pitch + channel;
  Bytes16 q = {{0, 0, 0, 0}};
  if (view.wide && count == 16) {
    q = load_global<Bytes16>(at);
  } else {
    GPUEVAL_UNROLL
    for (int i = 0; i < 16; ++i) {
      if (i < count) q.word[i / 4] |= static_cast<std::uint32_t>(at[i]) << i % 4 * 8;
    }
  }
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) q.word[i] ^= view.flips;
  return q;
}

// Bytes as they are stored.
GPUEVAL_DEVICE void store_channels(const ByteView& view, std::int64_t pixel, int channel, int count,
                                   const Bytes16& bytes) {
  std::uint8_t* at = view.data + pixel * view.pitch + channel;
  if (view.wide && count == 16) {
    store_global(at, bytes);
    return;
  }
  GPUEVAL_UNROLL
  for (int i = 0; i < 16; ++i) {
    if (i < count) at[i] = static_cast<std::uint8_t>(bytes.word[i / 4] >> i % 4 * 8);
  }
}

// Channel i of what load_channels gave, less the zero point, exact.
GPUEVAL_DEVICE float channel_value(const ByteView& view, const Bytes16& q, int i) {
  constexpr std::uint32_t kTwoTo23 = 0x4b000000u;
  const std::uint32_t bits = byte_permute(q.word[i / 4], kTwoTo23, 0x7440u + static_cast<std::uint32_t>(i % 4));
  return bits_float(static_cast<int>(bits)) - view.offset;
}

// rint(clamp(v)) of four values, as bytes.
GPUEVAL_DEVICE std::uint32_t quantize_four(const float (&v)[4], float lo, float hi) {
  std::uint32_t bits[4];
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) bits[i] = round_to_low_bits(min_of(max_of(v[i], lo), hi));
  return byte_permute(byte_permute(bits[0], bits[1], 0x0040), byte_permute(bits[2], bits[3], 0x0040), 0x5410);
}

// The same of 16 channels: value(i) is channel i's.
template <typename Value>
GPUEVAL_DEVICE Bytes16 quantize_channels(const Value& value, float lo, float hi) {
  Bytes16 out;
  GPUEVAL_UNROLL
  for (int w = 0; w < 4; ++w) {
    float v[4];
    GPUEVAL_UNROLL
    for (int i = 0; i < 4; ++i) v[i] = value(w * 4 + i);
    out.word[w] = quantize_four(v, lo, hi);
  }
  return out;
}

}  // namespace gpueval::GPUEVAL_TARGET
