// SPDX-License-Identifier: Apache-2.0
// Register-only loops, one a unit: 256 threads a block, kRoofChains accumulators a thread, kRoofUnroll rounds an
// iteration so that the loop's own instructions vanish. No shared memory. The operands come from memory, so they are
// neither constants nor zeros (tensor cores clock higher on zeros), and the sum of the accumulators is stored, so that
// no round can be left out; tests compare it with plain loops.
#include "cuda/prim/arithmetic.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/mma.h"
#include "cuda/prim/thread.h"
#include "cuda/roof/roof.h"
#include "cuda/roof/roof_rows.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

using cuda::kRoofChains;
using cuda::kRoofThreads;
using cuda::kRoofUnroll;

struct LoopParams {
  const std::uint32_t* words;
  void* dst;
  int iterations;
};

GPUEVAL_DEVICE unsigned lane() { return thread_index().x % 32; }
GPUEVAL_DEVICE unsigned output_index() { return block_index().x * kRoofThreads + thread_index().x; }

GPUEVAL_KERNEL(kRoofThreads) roof_dp4a(const LoopParams p) {
  const std::uint32_t a = p.words[lane()], b = p.words[32 + lane()];
  int acc[kRoofChains] = {};
  for (int i = 0; i < p.iterations; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < kRoofUnroll; ++j) {
      GPUEVAL_UNROLL
      for (int c = 0; c < kRoofChains; ++c) acc[c] = dp4a<false>(a, b, acc[c]);
    }
  }
  std::uint32_t sum = 0;
  GPUEVAL_UNROLL
  for (int c = 0; c < kRoofChains; ++c) sum += static_cast<std::uint32_t>(acc[c]);
  static_cast<std::uint32_t*>(p.dst)[output_index()] = sum;
}

GPUEVAL_KERNEL(kRoofThreads) roof_mma_m16n8k32(const LoopParams p) {
  std::uint32_t a[4];
  GPUEVAL_UNROLL
  for (unsigned i = 0; i < 4; ++i) a[i] = p.words[i * 32 + lane()];
  const std::uint32_t b0 = p.words[128 + lane()], b1 = p.words[160 + lane()];
  int acc[kRoofChains][4] = {};
  for (int i = 0; i < p.iterations; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < kRoofUnroll; ++j) {
      GPUEVAL_UNROLL
      for (int c = 0; c < kRoofChains; ++c) mma_m16n8k32<false>(acc[c], a, b0, b1);
    }
  }
  std::uint32_t sum = 0;
  GPUEVAL_UNROLL
  for (int c = 0; c < kRoofChains; ++c) {
    GPUEVAL_UNROLL
    for (int e = 0; e < 4; ++e) sum += static_cast<std::uint32_t>(acc[c][e]);
  }
  static_cast<std::uint32_t*>(p.dst)[output_index()] = sum;
}

GPUEVAL_KERNEL(kRoofThreads) roof_mma_m8n8k16(const LoopParams p) {
  const std::uint32_t a = p.words[lane()], b = p.words[32 + lane()];
  int acc[kRoofChains][2] = {};
  for (int i = 0; i < p.iterations; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < kRoofUnroll; ++j) {
      GPUEVAL_UNROLL
      for (int c = 0; c < kRoofChains; ++c) mma_m8n8k16<false>(acc[c], a, b);
    }
  }
  std::uint32_t sum = 0;
  GPUEVAL_UNROLL
  for (int c = 0; c < kRoofChains; ++c) sum += static_cast<std::uint32_t>(acc[c][0] + acc[c][1]);
  static_cast<std::uint32_t*>(p.dst)[output_index()] = sum;
}

// x -> x / 2 + 1, from a start of its own in each chain.
GPUEVAL_KERNEL(kRoofThreads) roof_fma_f32(const LoopParams p) {
  const float half = bits_float(0x3f000000), start = int_to_float(static_cast<int>(p.words[lane()] & 1023u));
  const float a = half + bits_float(static_cast<int>(p.words[255] & 1u));  // 0.5 to any float32: a denormal is added
  float acc[kRoofChains];
  GPUEVAL_UNROLL
  for (int c = 0; c < kRoofChains; ++c) acc[c] = start + int_to_float(c);
  for (int i = 0; i < p.iterations; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < kRoofUnroll; ++j) {
      GPUEVAL_UNROLL
      for (int c = 0; c < kRoofChains; ++c) acc[c] = fma_rn(acc[c], a, 1.0f);
    }
  }
  float sum = 0;
  GPUEVAL_UNROLL
  for (int c = 0; c < kRoofChains; ++c) sum += acc[c];
  static_cast<float*>(p.dst)[output_index()] = sum;
}

template <void (*kKernel)(LoopParams)>
void launch_loop(const char* name, const cuda::RoofArgs& args, cuda::Stream stream) {
  const LoopParams params{static_cast<const std::uint32_t*>(args.src), args.dst, args.iterations};
  launch(stream, name, {args.blocks, 1, 1}, kRoofThreads, 0, kKernel, params);
}

constexpr std::int64_t kRounds = std::int64_t{kRoofChains} * kRoofUnroll;

}  // namespace

const cuda::RoofKernel kRoofDp4a = {"dp4a", "TOPS", 61, kRounds * 8, [](const cuda::RoofArgs& a, cuda::Stream s) {
                                      launch_loop<roof_dp4a>("roof_dp4a", a, s);
                                    }};
// A warp's product is 2 * 16 * 8 * 32 operations, a thirty-second of it a thread's.
const cuda::RoofKernel kRoofMma16832 = {
    "mma_m16n8k32", "TOPS", 80, kRounds * 256,
    [](const cuda::RoofArgs& a, cuda::Stream s) { launch_loop<roof_mma_m16n8k32>("roof_mma_m16n8k32", a, s); }};
const cuda::RoofKernel kRoofMma8816 = {
    "mma_m8n8k16", "TOPS", 75, kRounds * 64,
    [](const cuda::RoofArgs& a, cuda::Stream s) { launch_loop<roof_mma_m8n8k16>("roof_mma_m8n8k16", a, s); }};
const cuda::RoofKernel kRoofFmaF32 = {
    "fma_f32", "TFLOPS", 61, kRounds * 2,
    [](const cuda::RoofArgs& a, cuda::Stream s) { launch_loop<roof_fma_f32>("roof_fma_f32", a, s); }};

}  // namespace gpueval::GPUEVAL_TARGET
