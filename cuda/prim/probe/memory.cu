// SPDX-License-Identifier: Apache-2.0
// Probes of memory: asynchronous copies, vectors through shared memory, atomics and the fence between blocks.
#include "cuda/prim/atomic.h"
#include "cuda/prim/cp_async.h"
#include "cuda/prim/probe/probe_kernels.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/vector.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr int kThreads = 128;
constexpr int kAtomicThreads = 64;
constexpr std::uint32_t kChunk = 16;

// Shared memory: first chunks, second chunks.
GPUEVAL_KERNEL(kThreads) cp_async_probe(const ProbeArgs p) {
  const std::uint32_t t = thread_index().x;
  const std::size_t i = static_cast<std::size_t>(block_index().x) * kThreads + t;
  const auto* src = static_cast<const std::uint8_t*>(p.a) + i * 2 * kChunk;
  const std::uint32_t valid = static_cast<const std::uint32_t*>(p.b)[i];
  cp_async_16(t * kChunk, src, (valid & 1) != 0);
  cp_async_commit();
  for (std::uint32_t at = 0; at < kChunk; at += 4) {
    cp_async_4((kThreads + t) * kChunk + at, src + kChunk + at, (valid & 2) != 0);
  }
  cp_async_commit();
  auto* out = static_cast<std::uint8_t*>(p.out) + i * 2 * kChunk;
  cp_async_wait<1>();
  store_global(out, shared_at<Bytes16>(t * kChunk));
  cp_async_wait<0>();
  block_barrier();
  store_global(out + kChunk, shared_at<Bytes16>((kThreads + (t + kThreads - 1) % kThreads) * kChunk));
}

GPUEVAL_KERNEL(kThreads) reverse_probe(const ProbeArgs p) {
  const std::size_t t = thread_index().x, first = static_cast<std::size_t>(block_index().x) * kThreads;
  const Shared<Bytes16> chunks(0, kThreads);
  const Shared<Bytes8> halves(0, 2 * kThreads);
  chunks[t] = load_global<Bytes16>(static_cast<const std::uint8_t*>(p.a) + (first + t) * kChunk);
  block_barrier();
  auto* out = static_cast<std::uint8_t*>(p.out) + (first + t) * kChunk;
  store_global(out, halves[2 * (kThreads - 1 - t)]);
  store_global(out + 8, halves[2 * (kThreads - 1 - t) + 1]);
}

// out: total, maximum, blocks done, the blocks' sums, then what each thread found; the threads' counter is the last
// word.
GPUEVAL_KERNEL(kAtomicThreads) atomics_probe(const ProbeArgs p) {
  const int t = static_cast<int>(thread_index().x), block = static_cast<int>(block_index().x);
  int* out = static_cast<int*>(p.out);
  int* found = out + 3 + p.n;
  const int i = block * kAtomicThreads + t, value = static_cast<const int*>(p.a)[i];
  const Shared<int> sum(0, 1);
  if (t == 0) sum[0] = 0;
  block_barrier();
  if (t % 2 == 0) {
    atomic_add(&sum[0], value);
  } else {
    reduce_add(&out[3 + block], value);
  }
  atomic_max(&out[1], value);
  found[i] = atomic_add(&found[p.n * kAtomicThreads], 1);
  block_barrier();
  if (t != 0) return;
  reduce_add(&out[3 + block], sum[0]);
  device_fence();
  if (atomic_add(&out[2], 1) != p.n - 1) return;
  device_fence();
  int total = 0;
  for (int k = 0; k < p.n; ++k) total += load_volatile(&out[3 + k]);
  out[0] = total;
}

}  // namespace

void probe_cp_async(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_cp_async", {static_cast<unsigned>(args.n)}, kThreads, 2 * kThreads * kChunk, cp_async_probe,
         args);
}
void probe_reverse(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_reverse", {static_cast<unsigned>(args.n)}, kThreads, kThreads * kChunk, reverse_probe, args);
}
void probe_atomics(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_atomics", {static_cast<unsigned>(args.n)}, kAtomicThreads, sizeof(int), atomics_probe, args);
}

}  // namespace gpueval::GPUEVAL_TARGET
