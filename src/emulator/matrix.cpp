// SPDX-License-Identifier: Apache-2.0
// ldmatrix and mma: every lane leaves its operands, the last one computes for the whole warp. In the fragment layouts
// (cuda/prim/mma.h) word `lane` of a register is bytes 4q.. of row g = lane / 4: the registers of a warp, side by side,
// are an 8 x 16 byte matrix, and pairs of accumulators an 8 x 8 matrix.
#include <cstring>

#include "emulator/machine.h"
#include "emulator/products.h"
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

// in[0..3]: a, in[4..5]: b; sums: accumulators, replaced by the new ones.
template <typename ByteA>
void finish_mma_16832(Machine& machine, Warp& warp, unsigned lanes) {
  require_whole_warp(machine, lanes, "mma m16n8k32");
  for (int half = 0; half < 2; ++half) {  // of the depth
    Pairs b;
    pair_up(warp.in[4 + half], b);
    for (int rows = 0; rows < 2; ++rows) {
      Wide a;
      widen<ByteA>(warp.in[2 * half + rows], a);
      multiply(a, b, warp.sums[rows]);
    }
  }
}

// in[0]: a, in[1]: b; sums[0]: accumulators, replaced by the new ones.
template <typename ByteA>
void finish_mma_8816(Machine& machine, Warp& warp, unsigned lanes) {
  require_whole_warp(machine, lanes, "mma m8n8k16");
  Wide a;
  Pairs b;
  widen<ByteA>(warp.in[0], a);
  pair_up(warp.in[1], b);
  multiply(a, b, warp.sums[0]);
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
  for (unsigned i = 0; i < 4; ++i) warp.in[i][lane] = a[i];
  warp.in[4][lane] = b0;
  warp.in[5][lane] = b1;
  std::uint32_t* const low = &warp.sums[0][lane / 4][2 * (lane % 4)];
  std::uint32_t* const high = &warp.sums[1][lane / 4][2 * (lane % 4)];
  std::memcpy(low, acc, 8);
  std::memcpy(high, acc + 2, 8);
  if (unsigned_a) {
    machine.meet(~0u, WarpOp::kMma16832Unsigned, finish_mma_16832<std::uint8_t>);
  } else {
    machine.meet(~0u, WarpOp::kMma16832, finish_mma_16832<std::int8_t>);
  }
  std::memcpy(acc, low, 8);
  std::memcpy(acc + 2, high, 8);
}

void mma_m8n8k16(int (&acc)[2], std::uint32_t a, std::uint32_t b, bool unsigned_a) {
  Machine& machine = Machine::current();
  Warp& warp = machine.warp_now();
  const unsigned lane = machine.lane_now();
  warp.in[0][lane] = a;
  warp.in[1][lane] = b;
  std::uint32_t* const sums = &warp.sums[0][lane / 4][2 * (lane % 4)];
  std::memcpy(sums, acc, 8);
  if (unsigned_a) {
    machine.meet(~0u, WarpOp::kMma8816Unsigned, finish_mma_8816<std::uint8_t>);
  } else {
    machine.meet(~0u, WarpOp::kMma8816, finish_mma_8816<std::int8_t>);
  }
  std::memcpy(acc, sums, 8);
}

}  // namespace gpueval::emulator::device
