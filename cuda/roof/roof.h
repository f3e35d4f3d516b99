// SPDX-License-Identifier: Apache-2.0
// What a device can do at best, measured: loops of one instruction on registers (dp4a, tensor-core products, float32
// fused multiply-adds) and a copy between buffers larger than its caches. Benchmarks state percentages of these.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "cuda/runtime/runtime.h"
#include "cuda/runtime/stream.h"

namespace gpueval::cuda {

struct RoofArgs {
  const void* src = nullptr;  // loops: 256 words of operands, the same for every warp; copy: `words` 16-byte words
  void* dst = nullptr;        // loops: one int (float) a thread, the sum of its accumulators; copy: as src
  int iterations = 1;         // of a loop
  std::int64_t words = 0;     // of a copy
  unsigned blocks = 1;
};

// One row of cuda/roof/table.cu.
struct RoofKernel {
  const char* name;         // "dp4a", "mma_m16n8k32", "mma_m8n8k16", "wgmma_m64n128k32", "fma_f32", "copy"
  const char* unit;         // "TOPS", "TFLOPS", "GB/s"
  int min_sm;               // oldest compute capability x 10
  std::int64_t operations;  // of one thread in one iteration; 0: a copy, 32 bytes a word
  void (*launch)(const RoofArgs& args, Stream stream);
  int max_sm = std::numeric_limits<int>::max();  // as ConvKernel's

  bool runs_on(int sm) const { return min_sm <= sm && sm <= max_sm; }
};
constexpr unsigned kRoofThreads = 256;  // of a block
constexpr int kRoofChains = 8;          // independent accumulators of a thread: hides the latency of every unit
constexpr int kRoofUnroll = 4;          // an iteration is that many rounds over the chains

struct Roof {
  std::string name, unit;
  double value = 0;
  std::string missing;  // why there is no value: "needs sm_80"
};

struct RoofOptions {
  double seconds = 0.05;       // of each roof: the best of its runs counts
  std::size_t copy_bytes = 0;  // 0: four times the L2 cache, at least 256 MiB. Both buffers are that large.
  unsigned blocks = 0;         // 0: eight a multiprocessor
  int iterations = 0;          // 0: as many as last a millisecond
};
// The emulator measures itself (its figures say nothing about a GPU): give it small numbers.
std::vector<Roof> measure_roofs(Runtime& runtime, const RoofOptions& options);

std::span<const RoofKernel> roof_kernels(const Runtime& runtime);

}  // namespace gpueval::cuda

namespace gpueval::emu {
std::span<const cuda::RoofKernel> roof_kernels();
}
namespace gpueval::gpu {
std::span<const cuda::RoofKernel> roof_kernels();
}
