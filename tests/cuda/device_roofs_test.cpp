// SPDX-License-Identifier: Apache-2.0
#include "cuda/roof/device_roofs.h"

#include <gtest/gtest.h>

namespace gpueval::cuda {
namespace {

TEST(DeviceRoofsOfAGpu, AreTheBestInt8LoopTheFusedMultiplyAddsAndTheCopy) {
  const std::vector<Roof> rows{{"dp4a", "TOPS", 133, ""},        {"mma_m16n8k32", "TOPS", 1302, ""},
                               {"mma_m8n8k16", "TOPS", 487, ""}, {"wgmma_m64n128k32", "TOPS", 0, "needs sm_90"},
                               {"fma_f32", "TFLOPS", 65, ""},    {"copy", "GB/s", 3830, ""}};
  const DeviceRoofs roofs = device_roofs(rows, {.multiprocessors = 108}, "cuda:1");
  EXPECT_EQ(roofs.device, "cuda:1");
  EXPECT_EQ(roofs.unit, "mma_m16n8k32, 108 multiprocessors");
  EXPECT_EQ(roofs.int8_gops, 1'302'000);
  EXPECT_EQ(roofs.f32_gflops, 65'000);
  EXPECT_EQ(roofs.copy_gbs, 3830);
  EXPECT_EQ(roofs.multiprocessors, 108);
}

}  // namespace
}  // namespace gpueval::cuda
