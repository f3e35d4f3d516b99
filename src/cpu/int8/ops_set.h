// SPDX-License-Identifier: Apache-2.0
// The inner loops of int8_ops.h, compiled once per ISA level from int8_ops.inl.h. Plain structs only, as in tile.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpueval::cpu {

// A row of output pixels, all channels.
struct PoolRow {
  const std::byte* src = nullptr;  // column 0 of the first source row inside the image
  int rows = 0;                    // source rows inside the image
  std::int64_t row_bytes = 0, pixel_bytes = 0;
  int w = 0;  // source columns
  int q = 0;  // output columns
  int kernel_w = 1, stride_w = 1, pad_left = 0;
  int channels = 0;
  bool copy = false;         // maximum: leaves as it is
  const float* m = nullptr;  // maximum: one; averages: of one tap, of two taps, ...
  int zero = 0;              // averages: the zero point of the source
  float dst_zero = 0;        // and of the destination
  float lo = 0, hi = 0;
  std::byte* dst = nullptr;    // bytes, or floats for average_f32
  std::int64_t dst_pitch = 0;  // bytes from pixel to pixel
};

// A run of `count` elements.
struct ElementRun {
  const std::byte* a = nullptr;
  const std::byte* b = nullptr;
  std::int64_t count = 0;
  float m1 = 1, m2 = 1, lo = 0, hi = 0;
  std::byte* dst = nullptr;
};

// `pixels` pixels of `channels` channels, each channel with its own numbers.
struct ChannelRun {
  const std::byte* src = nullptr;
  std::int64_t src_bytes = 0;  // from pixel to pixel
  const float *m = nullptr, *b = nullptr;
  std::int64_t pixels = 0;
  int channels = 0;
  float lo = 0, hi = 0;
  std::byte* dst = nullptr;
  std::int64_t dst_bytes = 0;
};

// A run of `count` elements of two sources of any byte type: q = (byte ^ flip) - offset, flip 0x80 for s8, 0 for u8,
// offset the flip and the zero point.
struct PairRun {
  const std::byte *a = nullptr, *b = nullptr;
  int a_flip = 0, b_flip = 0, a_offset = 0, b_offset = 0;
  std::int64_t count = 0;
  float m1 = 1, m2 = 1, lo = 0, hi = 0;
  float dst_zero = 0;  // of products
  std::byte* dst = nullptr;
};

// A run of `count` elements, each with its own numbers: m where it is not negative, b where it is.
struct PReluRun {
  const std::byte* src = nullptr;
  int flip = 0;
  const float *m = nullptr, *b = nullptr;
  std::int64_t count = 0;
  float lo = 0, hi = 0;
  std::byte* dst = nullptr;
};

// A run of `count` bytes and what becomes of each of the 256.
struct LookupRun {
  const std::byte* src = nullptr;
  const std::uint8_t* table = nullptr;
  std::int64_t count = 0;
  std::byte* dst = nullptr;
};

// Tables are indexed by "is s8" of the source(s). Destinations are of either byte type: the low byte of a rounded
// number is the same in both.
struct OpsSet {
  void (*maximum[2])(const PoolRow&);
  void (*average[2])(const PoolRow&);
  void (*average_f32[2])(const PoolRow&);
  void (*add[2][2])(const ElementRun&);
  void (*requantize[2])(const ElementRun&);
  void (*quantize)(const ElementRun&);  // a: floats, m1: the scale to divide by
  void (*affine[2])(const ChannelRun&);
  void (*affine_f32[2])(const ChannelRun&);
  void (*binary[5])(const PairRun&);  // by BinaryKind
  void (*prelu)(const PReluRun&);
  void (*lookup)(const LookupRun&);
  float (*max_abs)(const float* values, std::int64_t count);
};

const OpsSet& ops_set();  // of the best instruction set that this CPU has and GPUEVAL_CPU_ISA allows

extern const OpsSet kOpsPortable;
#if defined(__x86_64__)
extern const OpsSet kOpsAvx2;
extern const OpsSet kOpsAvx512;
#endif

}  // namespace gpueval::cpu
