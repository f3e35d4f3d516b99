// SPDX-License-Identifier: Apache-2.0
#include "gpueval/gpu_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpueval {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(GpuClock, WithoutLibraryOrDeviceNothingIsRead) {
  EXPECT_FALSE(GpuClock("0000:1b:00.0", "libno-such-library.so").read());
  EXPECT_FALSE(GpuClock("", GPUEVAL_FAKE_NVML).read());
  EXPECT_FALSE(GpuClock("0000:99:00.0", GPUEVAL_FAKE_NVML).read());
}

// fake_nvml/fake_nvml.c: a device at 0000:1b:00.0; asked for its power, it answers "not supported".
TEST(GpuClock, ReadsWhatTheDriverTells) {
  const GpuClock clock("0000:1b:00.0", GPUEVAL_FAKE_NVML);
  const auto reading = clock.read();
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->sm_mhz, 1410);
  EXPECT_EQ(reading->sm_max_mhz, 1980);
  EXPECT_EQ(reading->celsius, 71);
  EXPECT_FALSE(reading->watts);
  EXPECT_THAT(reading->warnings(), ElementsAre("the GPU's clock was held down by its power limit (1410 of 1980 MHz)"));
}

TEST(GpuClock, IdleAndUserClocksAreNoSlowdown) {
  GpuReading reading;
  reading.slowdowns = 0x1 | 0x2 | 0x10 | 0x100;
  EXPECT_THAT(reading.warnings(), IsEmpty());
  reading.slowdowns = 0x8 | 0x40;
  EXPECT_THAT(reading.warnings(), ElementsAre("the GPU's clock was held down by its temperature"));
  reading.slowdowns = 0x8;
  EXPECT_THAT(reading.warnings(), ElementsAre("the GPU's clock was held down by the hardware"));
}

}  // namespace
}  // namespace gpueval
