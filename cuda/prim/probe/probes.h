// SPDX-License-Identifier: Apache-2.0
// One tiny kernel per hardware wrapper of cuda/prim/, so that a test can compare what GPU and emulator really do with
// what the PTX ISA says (tests/cuda/prim_test.cpp). The wrappers are all that the two targets do not share.
#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"

namespace gpueval::cuda {

class Runtime;

// Device pointers; a word is 32 bits. Lanes of warp w are items 32 * w .. 32 * w + 31.
struct ProbeArgs {
  const void* a = nullptr;
  const void* b = nullptr;
  const void* c = nullptr;
  void* out = nullptr;
  int n = 0;
};
using Probe = void (*)(const ProbeArgs& args, Stream stream);

// What the probes of the tensor memory accelerator copy from: as a matrix of n * h * w rows, and as pictures whose
// boxes of taps begin at lower, end at the size + upper and are taken by strides (first of W, then of H).
struct TmaProbeTensor {
  std::uint32_t c = 140, w = 7, h = 6, n = 3, pitch = 160;
  std::int32_t lower[2] = {-1, -2}, upper[2] = {-1, 0};
  std::uint32_t strides[2] = {2, 3};
};
inline constexpr std::uint32_t kTmaProbeRows = 24, kTmaProbeWords = 6;  // of a box; of b for a block

struct Probes {
  // out[i] = dp4a(a[i], b[i], c[i]), n words.
  Probe dp4a_s8, dp4a_u8;
  // n warps; registers of a lane side by side: a 4, b 2, c 4, out 4 words a lane (m8n8k16: 1, 1, 2, 2).
  Probe mma_m16n8k32_s8, mma_m16n8k32_u8, mma_m8n8k16_s8, mma_m8n8k16_u8;
  // [64, 128, 256 columns][s8, u8], n blocks of 128 threads; a: 64 rows of 128 bytes a block, b: as many rows as
  // columns, c and out: columns / 2 words a thread.
  Probe wgmma[3][2];
  // [matrix, pictures], n blocks; a: the tensor; b: 6 words a block: column and row of the box (4 more mean nothing),
  // or channel, coordinates in W, H and N, tap in W and H; c: 64 bytes a block; out: the box as it lies in shared
  // memory, the 64 bytes.
  Probe tma[2];
  // n warps; a: 2048 bytes a warp, put into shared memory; b: a byte offset a lane; out: 4 words a lane.
  Probe ldmatrix;
  // n blocks of 128 threads; a: two chunks of 16 bytes a thread, thread by thread; b: a word a thread, bit i: chunk i
  // is valid; out: two chunks a thread: its own first one after waiting for it alone, its left neighbour's second one.
  Probe cp_async;
  // n warps; a: a word a lane, b: a source lane a lane; out: 4 words a lane: shuffle_xor(a, 5), the same through float,
  // shuffle(a, b), shuffle_xor(a, 8) by half warps.
  Probe shuffle;
  // n warps; a: a word a lane; out: 2 words a lane: ballot(a odd), the same by quarter warps.
  Probe ballot;
  // n blocks of 64 threads; a: a word a thread; out, zero before: [0] the sum of all, made by the last block from the
  // blocks' sums, [1] the maximum, [2] blocks that are done, then n sums of blocks, then for every thread the old value
  // of a counter that all of them increase, which is the last word.
  Probe atomics;
  // n items; a, b, c: a float each; out: 8 words an item: fma(a, b, c), round_to_int(a), a / b, (float)(int bits of a),
  // min(a, b), max(a, b), abs(a), exp(a).
  Probe arithmetic;
  // n words; out: 2 words an item: byte_permute(a, b, c), max_u8x4(a, b).
  Probe bytes;
  // n items; a, b: a float each, c: words; out: 2 words an item: saturated_pair(a, b, c) of u8, of s8.
  Probe saturate;
  // n items; a: floats; out: 2 words an item: the bits of to_half(a), the bits of to_float(the half of bits i).
  Probe half;
  // n blocks of 128 threads; a: 16 bytes a thread; out: the blocks' chunks in reverse order, through shared memory.
  Probe reverse;
  // n x 3 x 2 blocks of 32 threads; out: 4 words a thread: thread, block x + 1000 y + 1000000 z, grid likewise, block
  // size.
  Probe place;
};

const Probes& probes(const Runtime& runtime);  // as compiled for that device

}  // namespace gpueval::cuda

namespace gpueval::emu {
const cuda::Probes& probes();
}
namespace gpueval::gpu {
const cuda::Probes& probes();
}
