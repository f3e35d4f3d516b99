// SPDX-License-Identifier: Apache-2.0
// Probe of wgmma: one product of 64 x n x 128 bytes a block, operands put into shared memory by stores.
#include "cuda/conv/mma_tile.h"
#include "cuda/prim/async_proxy.h"
#include "cuda/prim/probe/probe_kernels.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/vector.h"
#include "cuda/prim/wgmma.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr std::uint32_t kThreads = 128, kRowChunks = 8, kSourceBytes = 64 * 128;

GPUEVAL_DEVICE void stage_rows(std::uint32_t offset, const void* rows, std::uint32_t count) {
  for (std::uint32_t i = thread_index().x; i < count * kRowChunks; i += kThreads) {
    const std::uint32_t to = offset + cuda::chunk_offset(i / kRowChunks, i % kRowChunks, kRowChunks);
    shared_at<Bytes16>(to) = load_global<Bytes16>(static_cast<const std::uint8_t*>(rows) + i * 16);
  }
}

template <int kN, bool kUnsignedA>
GPUEVAL_KERNEL(kThreads)
wgmma_probe(const ProbeArgs p) {
  const std::size_t block = block_index().x, first = (block * kThreads + thread_index().x) * (kN / 2);
  stage_rows(0, static_cast<const std::uint8_t*>(p.a) + block * kSourceBytes, 64);
  stage_rows(kSourceBytes, static_cast<const std::uint8_t*>(p.b) + block * (kN * 128), kN);
  async_proxy_fence();
  block_barrier();
  int acc[kN / 2];
  GPUEVAL_UNROLL
  for (int i = 0; i < kN / 2; ++i) acc[i] = static_cast<const int*>(p.c)[first + static_cast<std::size_t>(i)];
  const std::uint64_t source = wgmma_descriptor(0, 1024), weights = wgmma_descriptor(kSourceBytes, 1024);
  wgmma_fence();
  GPUEVAL_UNROLL
  for (std::uint64_t part = 0; part < 4; ++part) {
    wgmma<kN, kUnsignedA>(acc, source + part * kWgmmaDepth, weights + part * kWgmmaDepth);
  }
  wgmma_commit();
  wgmma_wait<0>();
  wgmma_take(acc);
  GPUEVAL_UNROLL
  for (int i = 0; i < kN / 2; ++i) static_cast<int*>(p.out)[first + static_cast<std::size_t>(i)] = acc[i];
}

template <int kN, bool kUnsignedA>
void probe_wgmma(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_wgmma", {static_cast<unsigned>(args.n)}, kThreads, kSourceBytes + kN * 128,
         wgmma_probe<kN, kUnsignedA>, args);
}

}  // namespace

const cuda::Probe kWgmmaProbes[3][2] = {{probe_wgmma<64, false>, probe_wgmma<64, true>},
                                        {probe_wgmma<128, false>, probe_wgmma<128, true>},
                                        {probe_wgmma<256, false>, probe_wgmma<256, true>}};

}  // namespace gpueval::GPUEVAL_TARGET
