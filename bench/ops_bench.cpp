// SPDX-License-Identifier: Apache-2.0
// The integer operations between convolutions, at the sizes that the networks have; GB/s counts bytes read and written.
#include "ops_bench.h"

#include <benchmark/benchmark.h>

#include <vector>

#include "cpu/int8/int8_ops.h"
#include "gpueval/engine.h"

namespace gpueval::bench {
namespace {

struct Tensor {
  Shape shape;
  AlignedBuffer bytes;
  explicit Tensor(const Shape& s) : shape(s), bytes(static_cast<std::size_t>(s.elements())) {
    auto* at = bytes.as<std::uint8_t>();
    for (std::int64_t i = 0; i < s.elements(); ++i) at[i] = static_cast<std::uint8_t>(i * 2654435761 >> 7);
  }
  cpu::QuantView view() const { return {.data = bytes.data(), .dtype = DType::kU8, .shape = shape, .pitch = shape.c}; }
};

template <typename Run>
void time(benchmark::State& state, std::int64_t bytes, Run&& run) {
  set_threads(static_cast<int>(state.range(0)));
  run();
  for ([[maybe_unused]] auto step : state) run();
  state.SetBytesProcessed(state.iterations() * bytes);
}

void pool(benchmark::State& state, const Shape& in, const Window& window, bool average) {
  const Tensor src(in), dst({in.n, window.out_h(in.h), window.out_w(in.w), in.c});
  const std::vector<float> m(static_cast<std::size_t>(window.kernel_h * window.kernel_w), 0.1f);
  time(state, in.elements() + dst.shape.elements(), [&] {
    if (average) {
      cpu::avg_pool(src.view(), window, m, dst.view());
    } else {
      cpu::max_pool(src.view(), window, 1.0f, dst.view());
    }
  });
}

void max_pool_3x3_st2(benchmark::State& state) {
  pool(state, {1, 112, 112, 64}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {}}, false);
}
void max_pool_2x2_st2(benchmark::State& state) {
  pool(state, {1, 224, 224, 64}, {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .pad = {}}, false);
}
void avg_pool_3x3_same(benchmark::State& state) {
  pool(state, {1, 35, 35, 288}, {.kernel_h = 3, .kernel_w = 3, .pad = {1, 1, 1, 1}}, true);
}
void global_avg_pool(benchmark::State& state) {
  const Tensor src({1, 7, 7, 2048}), dst({1, 1, 1, 2048});
  time(state, src.shape.elements(), [&] { cpu::global_avg_pool(src.view(), 0.02f, dst.view()); });
}
void add(benchmark::State& state) {
  const Tensor a({1, 55, 55, 256}), b(a.shape), dst(a.shape);
  time(state, 3 * a.shape.elements(), [&] { cpu::add(a.view(), 0.5f, b.view(), 0.7f, 0, 255, dst.view()); });
}
void requantize(benchmark::State& state) {
  const Tensor src({1, 56, 56, 128}), dst(src.shape);
  time(state, 2 * src.shape.elements(), [&] { cpu::requantize(src.view(), 0.7f, 0, 255, dst.view()); });
}
void quantize(benchmark::State& state) {
  const Tensor dst({1, 224, 224, 3});
  const std::vector<float> src(static_cast<std::size_t>(dst.shape.elements()), 1.3f);
  time(state, 5 * dst.shape.elements(), [&] { cpu::quantize(src.data(), 3, 0.1f, dst.view()); });
}
void max_abs(benchmark::State& state) {
  const Shape shape{1, 56, 56, 128};
  const std::vector<float> src(static_cast<std::size_t>(shape.elements()), 1.3f);
  time(state, 4 * shape.elements(), [&] { benchmark::DoNotOptimize(cpu::max_abs(src.data(), shape, shape.c)); });
}

}  // namespace

void register_ops() {
  struct Entry {
    const char* name;
    void (*run)(benchmark::State&);
  };
  constexpr Entry kEntries[] = {
      {"max_pool_3x3_st2", max_pool_3x3_st2},
      {"max_pool_2x2_st2", max_pool_2x2_st2},
      {"avg_pool_3x3_same", avg_pool_3x3_same},
      {"global_avg_pool", global_avg_pool},
      {"add", add},
      {"requantize", requantize},
      {"quantize", quantize},
      {"max_abs", max_abs},
  };
  set_threads(0);
  const int all = threads();
  for (const Entry& entry : kEntries) {
    auto* row = benchmark::RegisterBenchmark(entry.name, entry.run)->ArgName("t")->Arg(1);
    row->Unit(benchmark::kMicrosecond)->UseRealTime();
    if (all > 1) row->Arg(all);
  }
}

}  // namespace gpueval::bench
