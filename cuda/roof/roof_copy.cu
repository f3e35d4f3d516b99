// SPDX-License-Identifier: Apache-2.0
// Device copy bandwidth: every thread moves 16-byte words, four in flight, striding by the grid.
#include "cuda/prim/thread.h"
#include "cuda/prim/vector.h"
#include "cuda/roof/roof.h"
#include "cuda/roof/roof_rows.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr int kInFlight = 4;

struct CopyParams {
  const Bytes16* src;
  Bytes16* dst;
  std::int64_t words;
};

GPUEVAL_KERNEL(cuda::kRoofThreads) roof_copy(const CopyParams p) {
  const auto step = static_cast<std::int64_t>(grid_size().x) * cuda::kRoofThreads;
  std::int64_t at = static_cast<std::int64_t>(block_index().x) * cuda::kRoofThreads + thread_index().x;
  for (; at + (kInFlight - 1) * step < p.words; at += kInFlight * step) {
    Bytes16 words[kInFlight];
    GPUEVAL_UNROLL
    for (int i = 0; i < kInFlight; ++i) words[i] = load_global<Bytes16>(p.src + at + i * step);
    GPUEVAL_UNROLL
    for (int i = 0; i < kInFlight; ++i) store_global(p.dst + at + i * step, words[i]);
  }
  for (; at < p.words; at += step) store_global(p.dst + at, load_global<Bytes16>(p.src + at));
}

}  // namespace

const cuda::RoofKernel kRoofCopy = {
    "copy", "GB/s", 61, 0, [](const cuda::RoofArgs& args, cuda::Stream stream) {
      const CopyParams params{static_cast<const Bytes16*>(args.src), static_cast<Bytes16*>(args.dst), args.words};
      launch(stream, "roof_copy", {args.blocks, 1, 1}, cuda::kRoofThreads, 0, roof_copy, params);
    }};

}  // namespace gpueval::GPUEVAL_TARGET
