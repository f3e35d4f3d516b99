// SPDX-License-Identifier: Apache-2.0
#include "cpu/backend.h"

#include <utility>

#include "core/cpu_name.h"
#include "cpu/engine.h"
#include "cpu/float32/float_conv.h"
#include "cpu/int8/int8_conv.h"
#include "cpu/int8/isa.h"
#include "cpu/node_runner.h"
#include "cpu/roof/roof.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

DeviceInfo cpu_device(int) {
  const std::string isa = best_isa();
  return {.name = "cpu",
          .usable = true,
          .description = fmt::format("{}, {} threads, int8 kernels: {}", cpu_name(), threads(), isa),
          .precisions = {Precision::kFloat32, Precision::kInt8},
          .facts = {.hardware = cpu_name(), .isa = isa}};
}

std::vector<KernelInfo> cpu_kernels() {
  std::vector<KernelInfo> rows = int8_kernels();
  const std::vector<KernelInfo> float_rows = float_kernels();
  rows.insert(rows.end(), float_rows.begin(), float_rows.end());
  return rows;
}

DeviceRoofs cpu_roofs(int) {
  const Roofs roofs = measure_roofs(best_isa_level(), {.threads = threads()});
  return {.device = "cpu",
          .unit = fmt::format("{}, {} threads", roofs.isa, roofs.threads),
          .int8_gops = 1e3 * roofs.int8_tops,
          .f32_gflops = 1e3 * roofs.f32_tflops,
          .copy_gbs = roofs.copy_gbs,
          .remarks = roofs.remarks};
}

}  // namespace

const Backend& cpu_backend() {
  static constexpr Backend kRow{
      .name = "cpu",
      .device_count = [] { return 1; },
      .device = cpu_device,
      .make_engine = [](int, Graph lowered,
                        const EngineOptions& options) { return make_cpu_engine(std::move(lowered), options); },
      .kernels = cpu_kernels,
      .make_node_runner = make_node_runner,
      .measure_roofs = cpu_roofs};
  return kRow;
}

}  // namespace gpueval::cpu
