// SPDX-License-Identifier: Apache-2.0
// ldmatrix and mma: every lane leaves its operands, the last one computes for the whole warp.
#include <cstring>

#include "emulator/machine.h"
#include "gpueval/error.h"

namespace gpueval::emulator::device {
namespace {

void require_whole_warp(const Machine& machine, unsigned lanes, const char* what) {
  if (lanes != ~0u) {
    machine.fail_here(fmt::format("{} needs all 32 lanes, lanes {:#010x} took part", what, lanes));
  }
}

// in[0]: the row offsets, lane 8 * i + r for row r of matrix i. A row's 16 bytes are the words of lanes 4r .. 4r+3.
void finish_ldmatrix(Machine& machine, Warp& warp, unsigned lanes) {
  require_whole_warp(machine, lanes, "ldmatrix");
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    std::memcpy(&warp.out[lane / 8][4 * (lane % 8)], shared(warp.in[0][lane], 16, 16), 16);
  }
}

// Four signed or unsigned bytes.
template <bool kUnsigned>
void widen(std::uint32_t word, std::int16_t* out) {
  for (int i = 0; i < 4; ++i, word >>= 8) {
    out[i] = kUnsigned ? static_cast<std::int16_t>(static_cast<std::uint8_t>(word))
                       : static_cast<std::int16_t>(static_cast<std::int8_t>(word));
  }
}

// C (kRows x 8) += A (kRows x kDepth) * B^T; b by pairs along the depth, so that a row of C is one multiply-add wide.
template <int kRows, int kDepth>
void multiply(const std::int16_t (&a)[kRows][kDepth], const std::int16_t (&b)[kDepth / 2][8][2],
              std::uint32_t (&c)[kRows][8]) {
  for (int row = 0; row < kRows; ++row) {
    std::int32_t sum[8] = {};
    for (int k = 0; k < kDepth / 2; ++k) {
      const std::int16_t a0 = a[row][2 * k], a1 = a[row][2 * k + 1];
      for (int col = 0; col < 8; ++col) sum[col] += a0 * b[k][col][0] + a1 * b[k][col][1];
    }
    for (int col = 0; col < 8; ++col) c[row][col] += static_cast<std::uint32_t>(sum[col]);
  }
}

// in[0..3]: a, in[4..5]: b, in[6..9]: accumulators; out: the new ones. Fragments: cuda/prim/mma.h.
template <bool kUnsigned>
void finish_mma_16832(Machine& machine, Warp& warp, unsigned lanes) {
  require_whole_warp(machine, lanes, "mma m16n8k32");
  alignas(64) std::int16_t a[16][32];
  alignas(64) std::int16_t b[16][8][2];
  alignas(64) std::uint32_t c[16][8];
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    const unsigned g = lane / 4, q = lane % 4;
    for (unsigned half = 0; half < 2; ++half) {
      widen<kUnsigned>(warp.in[2 * half][lane], &a[g][16 * half + 4 * q]);
      widen<kUnsigned>(warp.in[2 * half + 1][lane], &a[g + 8][16 * half + 4 * q]);
      std::int16_t w[4];
      widen<false>(warp.in[4 + half][lane], w);
      std::memcpy(b[8 * half + 2 * q][g], w, 4);
      std::memcpy(b[8 * half + 2 * q + 1][g], w + 2, 4);
    }
    for (unsigned i = 0; i < 4; ++i) c[g + 8 * (i / 2)][2 * q + i % 2] = warp.in[6 + i][lane];
  }
  multiply<16, 32>(a, b, c);
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    const unsigned g = lane / 4, q = lane % 4;
    for (unsigned i = 0; i < 4; ++i) warp.out[i][lane] = c[g + 8 * (i / 2)][2 * q + i % 2];
  }
}

// in[0]: a, in[1]: b, in[2..3]: accumulators; out: the new ones.
template <bool kUnsigned>
void finish_mma_8816(Machine& machine, Warp& warp, unsigned lanes) {
  require_whole_warp(machine, lanes, "mma m8n8k16");
  alignas(64) std::int16_t a[8][16];
  alignas(64) std::int16_t b[8][8][2];
  alignas(64) std::uint32_t c[8][8];
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    const unsigned g = lane / 4, q = lane % 4;
    widen<kUnsigned>(warp.in[0][lane], &a[g][4 * q]);
    std::int16_t w[4];
    widen<false>(warp.in[1][lane], w);
    std::memcpy(b[2 * q][g], w, 4);
    std::memcpy(b[2 * q + 1][g], w + 2, 4);
    for (unsigned i = 0; i < 2; ++i) c[g][2 * q + i] = warp.in[2 + i][lane];
  }
  multiply<8, 16>(a, b, c);
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    for (unsigned i = 0; i < 2; ++i) warp.out[i][lane] = c[lane / 4][2 * (lane % 4) + i];
  }
}

}  // namespace

void ldmatrix_x4(std::uint32_t (&r)[4], std::uint32_t offset) {
  Machine& machine = Machine::current();
  Warp& warp = machine.warp_now();
  const unsigned lane = machine.lane_now();
  shared(offset, 16, 16);  // so that an error names the lane
  warp.in[0][lane] = offset;
  machine.meet(~0u, WarpOp::kLdmatrix, finish_ldmatrix);
  for (unsigned i = 0; i < 4; ++i) r[i] = warp.out[i][lane];
}

void mma_m16n8k32(int (&acc)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1, bool unsigned_a) {
  Machine& machine = Machine::current();
  Warp& warp = machine.warp_now();
  const unsigned lane = machine.lane_now();
  for (unsigned i = 0; i < 4; ++i) {
    warp.in[i][lane] = a[i];
    warp.in[6 + i][lane] = static_cast<std::uint32_t>(acc[i]);
  }
  warp.in[4][lane] = b0;
  warp.in[5][lane] = b1;
  if (unsigned_a) {
    machine.meet(~0u, WarpOp::kMma16832Unsigned, finish_mma_16832<true>);
  } else {
    machine.meet(~0u, WarpOp::kMma16832, finish_mma_16832<false>);
  }
  for (unsigned i = 0; i < 4; ++i) acc[i] = static_cast<int>(warp.out[i][lane]);
}

void mma_m8n8k16(int (&acc)[2], std::uint32_t a, std::uint32_t b, bool unsigned_a) {
  Machine& machine = Machine::current();
  Warp& warp = machine.warp_now();
  const unsigned lane = machine.lane_now();
  warp.in[0][lane] = a;
  warp.in[1][lane] = b;
  for (unsigned i = 0; i < 2; ++i) warp.in[2 + i][lane] = static_cast<std::uint32_t>(acc[i]);
  if (unsigned_a) {
    machine.meet(~0u, WarpOp::kMma8816Unsigned, finish_mma_8816<true>);
  } else {
    machine.meet(~0u, WarpOp::kMma8816, finish_mma_8816<false>);
  }
  for (unsigned i = 0; i < 2; ++i) acc[i] = static_cast<int>(warp.out[i][lane]);
}

}  // namespace gpueval::emulator::device
