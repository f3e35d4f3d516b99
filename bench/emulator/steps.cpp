// SPDX-License-Identifier: Apache-2.0
// emulator_bench, first part: what a step of an emulated thread costs, on one core. items_per_second counts steps: a
// thread that starts, or one that passes a barrier or collective; macs: multiply-adds of mma.
#include <benchmark/benchmark.h>
#include <omp.h>

#include "emulator/device.h"
#include "emulator/emulator.h"

namespace gpueval::emulator {
namespace {

constexpr unsigned kThreads = 256;
constexpr int kSteps = 1000;  // of a thread in a launch
constexpr unsigned kAll = ~0u;

template <typename Step>
void steps(benchmark::State& state, const Step& step) {
  for ([[maybe_unused]] auto launch : state) {
    run("steps", {}, {kThreads, 1, 1}, 1024, [&] {
      for (int i = 0; i < kSteps; ++i) step();
    });
  }
  state.SetItemsProcessed(state.iterations() * kSteps * kThreads);
}

void thread_start(benchmark::State& state) {
  constexpr unsigned kBlocks = 1000;
  omp_set_num_threads(1);
  for ([[maybe_unused]] auto launch : state) {
    run("start", {kBlocks, 1, 1}, {kThreads, 1, 1}, 0, [] { benchmark::DoNotOptimize(device::thread_index().x); });
  }
  state.SetItemsProcessed(state.iterations() * kBlocks * kThreads);
}
BENCHMARK(thread_start);

void block_barrier(benchmark::State& state) {
  steps(state, [] { device::block_barrier(); });
}
BENCHMARK(block_barrier);

void warp_barrier(benchmark::State& state) {
  steps(state, [] { device::warp_barrier(kAll); });
}
BENCHMARK(warp_barrier);

void shuffle_xor(benchmark::State& state) {
  steps(state, [] { benchmark::DoNotOptimize(device::shuffle_xor(kAll, 1, 1)); });
}
BENCHMARK(shuffle_xor);

void ldmatrix(benchmark::State& state) {
  steps(state, [] {
    std::uint32_t r[4];
    device::ldmatrix_x4(r, 16 * (device::thread_index().x % 32));
    benchmark::DoNotOptimize(r);
  });
}
BENCHMARK(ldmatrix);

void mma_m16n8k32(benchmark::State& state) {
  steps(state, [] {
    int acc[4] = {};
    device::mma_m16n8k32(acc, {1, 2, 3, 4}, 5, 6, false);
    benchmark::DoNotOptimize(acc);
  });
  state.counters["macs"] = benchmark::Counter(static_cast<double>(state.iterations()) * kSteps * kThreads / 32 * 4096,
                                              benchmark::Counter::kIsRate);
}
BENCHMARK(mma_m16n8k32);

}  // namespace
}  // namespace gpueval::emulator

BENCHMARK_MAIN();
