// SPDX-License-Identifier: Apache-2.0
// The rows of cuda/conv/kernels.inc under the emulator, on one core: macs per second of CPU time.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "cuda/runtime/runtime.h"
#include "cuda/runtime/tables.h"

namespace gpueval::cuda {
namespace {

const char* const kShapes[] = {"n1h28w28c128_k128r3s3_st1_pad1,1,1,1", "n1h28w28c128_dw_r3s3_st1_pad1,1,1,1"};

std::vector<std::int8_t> random_bytes(std::size_t count) {
  Random random(1);
  std::vector<std::int8_t> bytes(count);
  for (std::int8_t& b : bytes) b = static_cast<std::int8_t>(random.integer(-127, 127));
  return bytes;
}

Runtime& emu_runtime() {
  static const std::shared_ptr<Runtime> runtime = open_emulator();
  return *runtime;
}

DeviceBuffer upload(const void* data, std::size_t bytes) {
  DeviceBuffer buffer(emu_runtime(), bytes);
  emu_runtime().copy_to_device(buffer.data(), data, bytes, {});
  return buffer;
}

void conv(benchmark::State& state, const ConvKernel& kernel, const ConvProblem& problem) {
  omp_set_num_threads(1);
  const ConvDesc& d = problem.desc;
  const std::vector<std::int8_t> packed =
      kernel.pack(problem, random_bytes(static_cast<std::size_t>(d.depth()) * static_cast<std::size_t>(d.k)));
  const std::vector<std::int8_t> pixels = random_bytes(static_cast<std::size_t>(d.n * d.h * d.w * problem.src_pitch));
  const std::vector<float> ones(static_cast<std::size_t>(d.k), 1e-3f);
  const std::size_t workspace_bytes = kernel.workspace(problem, 1);
  const std::vector<std::int8_t> zeros(workspace_bytes + 1);
  const DeviceBuffer weights = upload(packed.data(), packed.size()), src = upload(pixels.data(), pixels.size());
  const DeviceBuffer m = upload(ones.data(), ones.size() * 4), workspace = upload(zeros.data(), zeros.size());
  const DeviceBuffer dst(emu_runtime(), static_cast<std::size_t>(d.output_pixels() * problem.dst_pitch));
  const ConvArgs args{.n = d.n,
                      .src = src.data(),
                      .weights = weights.data(),
                      .dst = dst.data(),
                      .m = static_cast<const float*>(m.data()),
                      .b = static_cast<const float*>(m.data()),
                      .workspace = workspace.data()};
  for ([[maybe_unused]] auto call : state) kernel.launch(problem, args, 1, {});
  state.counters["macs"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(d.multiply_adds()), benchmark::Counter::kIsRate);
}

const bool registered = [] {
  for (const char* shape : kShapes) {
    const ConvDesc desc = parse_conv_desc(shape);
    const ConvProblem problem{.desc = desc, .src_pitch = desc.c, .dst_pitch = desc.k};
    for (const ConvKernel& kernel : emu::conv_kernels()) {
      if (!kernel.does(problem)) continue;
      benchmark::RegisterBenchmark(kernel.name, [&kernel, problem](benchmark::State& s) { conv(s, kernel, problem); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace gpueval::cuda
