// SPDX-License-Identifier: Apache-2.0
#include "cuda/roof/device_roofs.h"

#include <fmt/format.h>

namespace gpueval::cuda {

DeviceRoofs device_roofs(std::span<const Roof> roofs, const DeviceProperties& properties, const std::string& device) {
  constexpr double kGiga = 1e3;  // of a tera
  DeviceRoofs result{.device = device, .multiprocessors = properties.multiprocessors};
  std::string best = "no int8 loop";
  for (const Roof& roof : roofs) {
    if (!roof.missing.empty()) continue;
    if (roof.unit == "TOPS" && kGiga * roof.value > result.int8_gops) {
      result.int8_gops = kGiga * roof.value;
      best = roof.name;
    }
    if (roof.unit == "TFLOPS") result.f32_gflops = kGiga * roof.value;
    if (roof.unit == "GB/s") result.copy_gbs = roof.value;
  }
  result.unit = fmt::format("{}, {} multiprocessors", best, properties.multiprocessors);
  return result;
}

}  // namespace gpueval::cuda
