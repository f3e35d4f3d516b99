// SPDX-License-Identifier: Apache-2.0
// The inner loops of int8_ops.h, compiled once per ISA level from int8_ops.inl.h. Plain structs only, as in tile.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpueval::cpu {

// The real taps of one output pixel: rows x cols source pixels, all channels.
struct PoolPixel {
  const std::byte* src = nullptr;
  int rows = 0, cols = 0;
  std::int64_t row_bytes = 0, pixel_bytes = 0;
  int channels = 0;
  bool copy = false;  // maximum: leaves as it is
  float m = 1, lo = 0, hi = 0;
  std::byte* dst = nullptr;  // bytes, or floats for average_f32
};

// A run of `count` elements.
struct ElementRun {
  const std::byte* a = nullptr;
  const std::byte* b = nullptr;
  std::int64_t count = 0;
  float m1 = 1, m2 = 1, lo = 0, hi = 0;
  std::byte* dst = nullptr;
};

// Tables are indexed by "is s8": source(s), then destination.
struct OpsSet {
  void (*maximum[2][2])(const PoolPixel&);
  void (*average[2][2])(const PoolPixel&);
  void (*average_f32[2])(const PoolPixel&);
  void (*add[2][2][2])(const ElementRun&);
  void (*requantize[2][2])(const ElementRun&);
  void (*quantize[2])(const ElementRun&);  // a: floats, m1: the scale to divide by
  float (*max_abs)(const float* values, std::int64_t count);
};

extern const OpsSet kOpsPortable;
#if defined(__x86_64__)
extern const OpsSet kOpsAvx2;
extern const OpsSet kOpsAvx512;
#endif

}  // namespace gpueval::cpu
