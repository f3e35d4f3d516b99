// SPDX-License-Identifier: Apache-2.0
// gpu_bench: every row of the int8 kernel table x every shape of bench/shapes x 1 and all threads, and oneDNN's float32
// as baseline. Names: <kernel>/<network>/<shape>/t<threads>; pick with --benchmark_filter. GOPS counts two operations a
// multiply-add, padding included. The result of each timed kernel is checked against src/reference on sampled pixels.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <optional>
#include <set>

#include "core/random.h"
#include "cpu/int8/int8_conv.h"
#include "gpueval/engine.h"
#include "onednn_conv.h"
#include "reference/reference.h"
#include "shapes.h"

namespace gpueval::bench {
namespace {

struct Problem {
  ConvDesc desc;
  reference::QuantTensor src;
  std::vector<std::int8_t> weights;
  std::vector<float> m, b;

  explicit Problem(const ConvDesc& d) : desc(d), src(DType::kU8, {d.n, d.h, d.w, d.c}) {
    Random random(1);
    for (auto& byte : src.bytes) byte = static_cast<std::uint8_t>(random.next());
    weights.resize(static_cast<std::size_t>(d.k * d.depth()));
    for (auto& w : weights) w = static_cast<std::int8_t>(random.integer(-127, 127));
    const double spread = 74.0 * 74.0 * std::sqrt(static_cast<double>(d.depth()));
    for (int k = 0; k < d.k; ++k) {
      m.push_back(static_cast<float>(random.uniform(0.5, 1.5) * 64 / spread));
      b.push_back(static_cast<float>(random.uniform(-20, 60)));
    }
  }

  cpu::Int8ConvParams params() const {
    return {.desc = desc, .src = DType::kU8, .dst = DType::kU8, .weights = weights, .m = m, .b = b, .residual = {}};
  }
  cpu::Int8ConvArgs args(const AlignedBuffer& x, const AlignedBuffer& dst) const {
    return {.n = desc.n,
            .src = x.data(),
            .src_pitch = desc.c,
            .dst = dst.data(),
            .dst_pitch = desc.k,
            .residual = nullptr,
            .residual_pitch = 0,
            .scale = std::nullopt};
  }

  // The reference on the window of one output pixel, padding written as zeros.
  std::vector<std::uint8_t> expected(int n, int p, int q) const {
    const Window& w = desc.window;
    ConvDesc one = desc;
    one.n = 1;
    one.h = w.kernel_h;
    one.w = w.kernel_w;
    one.window.pad = {};
    reference::QuantTensor patch(DType::kU8, {1, one.h, one.w, one.c});
    for (int r = 0; r < one.h; ++r) {
      for (int s = 0; s < one.w; ++s) {
        const int h = p * w.stride_h - w.pad.top + r, x = q * w.stride_w - w.pad.left + s;
        if (h < 0 || h >= desc.h || x < 0 || x >= desc.w) continue;
        for (int c = 0; c < one.c; ++c) patch.set((std::int64_t{r} * one.w + s) * one.c + c, src.at(n, h, x, c));
      }
    }
    return reference::conv(patch, {.desc = one, .weights = weights, .m = m, .b = b}, DType::kU8).bytes;
  }

  bool verified(const std::uint8_t* dst) const {
    Random random(2);
    for (int sample = 0; sample < 8; ++sample) {
      const int n = random.integer(0, desc.n - 1), p = random.integer(0, desc.p() - 1),
                q = random.integer(0, desc.q() - 1);
      const std::vector<std::uint8_t> want = expected(n, p, q);
      const std::int64_t at = ((std::int64_t{n} * desc.p() + p) * desc.q() + q) * desc.k;
      if (!std::equal(want.begin(), want.end(), dst + at)) return false;
    }
    return true;
  }
};

void count_ops(benchmark::State& state, const ConvDesc& desc) {
  state.counters["GOPS"] = benchmark::Counter(2e-9 * static_cast<double>(desc.multiply_adds()),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

void run_int8(benchmark::State& state, const ConvDesc& desc, const std::string& kernel, int thread_count) {
  set_threads(thread_count);
  const Problem problem(desc);
  const auto conv = cpu::make_int8_conv(problem.params(), kernel);
  // As in an engine's arena: 64-byte boundaries.
  const AlignedBuffer src(problem.src.bytes.size()), dst(static_cast<std::size_t>(desc.output_pixels() * desc.k));
  std::copy(problem.src.bytes.begin(), problem.src.bytes.end(), src.as<std::uint8_t>());
  const cpu::Int8ConvArgs args = problem.args(src, dst);
  conv->run(args);
  for ([[maybe_unused]] auto step : state) conv->run(args);
  count_ops(state, desc);
  if (!problem.verified(dst.as<std::uint8_t>())) state.SkipWithError("result differs from the reference");
}

void run_onednn(benchmark::State& state, const ConvDesc& desc, int thread_count) {
  set_threads(thread_count);
  OneDnnConv conv(desc);
  conv.run();
  for ([[maybe_unused]] auto step : state) conv.run();
  count_ops(state, desc);
}

bool applies(const KernelInfo& kernel, const ConvDesc& desc) {
  if (desc.depthwise) return kernel.op == "depthwise";
  if (kernel.op == "conv_first") return desc.c <= 4 && desc.window.kernel_w > 1;
  return kernel.op == "conv";
}

void register_all() {
  set_threads(0);
  const std::set<int> counts = {1, threads()};
  for (const ShapeRow& row : load_shapes()) {
    for (const int count : counts) {
      const std::string suffix = "/" + row.file + "/" + to_string(row.desc) + "/t" + std::to_string(count);
      const auto add = [&](const std::string& name, auto run) {
        benchmark::RegisterBenchmark((name + suffix).c_str(), run)->Unit(benchmark::kMicrosecond)->UseRealTime();
      };
      add("onednn_f32", [=](benchmark::State& state) { run_onednn(state, row.desc, count); });
      for (const KernelInfo& kernel : cpu::int8_kernels()) {
        if (!kernel.usable || !applies(kernel, row.desc)) continue;
        add(kernel.name, [=](benchmark::State& state) { run_int8(state, row.desc, kernel.name, count); });
      }
    }
  }
}

}  // namespace
}  // namespace gpueval::bench

int main(int argc, char** argv) {
  try {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    gpueval::bench::register_all();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_bench: %s\n", error.what());
    return 1;
  }
}
