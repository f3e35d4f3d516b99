// SPDX-License-Identifier: Apache-2.0
// The interface of the register-tile kernels: a tile is `rows` output pixels x one block of output channels. Everything
// around it (splitting, source pointers, packing) is the same code for every ISA level.
//
// Included by translation units with their own -m flags: plain structs only, no inline code that the linker could
// share with the baseline.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpueval::cpu {

enum class RunShape { kTap, kKernelRow };  // depth runs: one kernel position, or one kernel row (first layer)

enum class Out : std::uint8_t { kU8, kS8, kF32 };
enum class Residual : std::uint8_t { kNone, kU8, kS8 };

// The epilogue of docs/numerics.md, common to all tiles of one call.
struct Epilogue {
  Out out = Out::kU8;
  Residual residual = Residual::kNone;
  float lo = 0, hi = 0, residual_scale = 0;
  // No v before the clamp is beyond what an int32 holds: v may be rounded and packed first, the packed bytes clamped.
  bool in_range = false;
  bool clamp_bytes = false;  // packing alone, which saturates, does not clamp to lo and hi
  std::uint8_t low_byte = 0, high_byte = 255;
};

struct TileArgs {
  const std::byte* const* taps = nullptr;  // source of tap t and row i: taps[t * tap_stride + i]
  std::int64_t tap_stride = 0;
  int tap_count = 0;
  int groups = 0;                       // depth groups (TileSet::group channels each) of one tap
  const std::byte* weights = nullptr;   // this block's, in order: [tap][group][lane][TileSet::group], or lane_major
  const std::int32_t* start = nullptr;  // initial accumulator, m and b of each lane of the block
  const float* m = nullptr;
  const float* b = nullptr;
  int channels = 0;          // real channels of the block: lanes behind them are not stored
  std::byte* dst = nullptr;  // first row, first channel; pitches are bytes from row to row
  std::int64_t dst_pitch = 0;
  const std::byte* residual = nullptr;
  std::int64_t residual_pitch = 0;
  const Epilogue* epilogue = nullptr;
};

using TileFn = void (*)(const TileArgs& args);

constexpr int kMaxVectors = 4;
constexpr int kMaxRows = 12;

// Copies `count` source elements into the form the tiles read (u8 with the sign bit flipped for s8, or s16).
using ConvertFn = void (*)(const std::byte* src, std::byte* dst, std::int64_t count);

struct TileSet {
  int lanes;                                 // output channels of one vector
  int max_vectors;                           // widest block, in vectors
  int group;                                 // channels multiplied in one step of one lane
  int element_bytes;                         // of source (after conversion) and weights
  bool biased;                               // s8 sources are read as x + 128
  bool lane_major;                           // weights in order [tap][lane][groups * group]
  bool shuffled;                             // a block of 4 vectors is in the lane order of lane_channel()
  int rows[kMaxVectors + 1];                 // tallest tile for a block of that many vectors
  TileFn fn[kMaxVectors + 1][kMaxRows + 1];  // [vectors][rows]
  ConvertFn convert_u8, convert_s8;
};

extern const TileSet kTilesPortable;
#if defined(__x86_64__)
extern const TileSet kTilesAvx2;
#if defined(GPUEVAL_AVX_VNNI)
extern const TileSet kTilesAvxVnni;
#endif
extern const TileSet kTilesAvx512Vnni;
#endif

// Lane order of shuffled blocks: two rounds of in-register packing (32 -> 16 -> 8 bits, each within 128 bits) turn
// vector v, 128-bit part l, element e into byte l * 16 + v * 4 + e. Weights are laid out so that this byte is the
// channel.
constexpr int lane_channel(int lane) { return (lane % 16) / 4 * 16 + lane / 16 * 4 + lane % 4; }

}  // namespace gpueval::cpu
