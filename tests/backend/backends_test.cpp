// SPDX-License-Identifier: Apache-2.0
// The table of backends: names and indices of devices, what a device may be without, the facts that callers ask for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "cuda/runtime/runtime.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "gpueval/roofline.h"
#include "gpueval/selftest.h"

namespace gpueval {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::string failure(ErrorKind kind, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Backends, AnIndexNamesADevice) {
  for (const char* name : {"cpu", "emu"}) {
    EXPECT_EQ(device_info(name).name, name);
    EXPECT_EQ(device_info(name + std::string(":0")).name, name);
  }
}

TEST(Backends, WhatDoesNotExistIsOneSentence) {
  for (const char* name : {"cpu:1", "emu:1", "emu:-1", "emu:0x", "emu:", "emu: 0", "tpu", "", "cuda:4096"}) {
    const std::string text = failure(ErrorKind::kDevice, [&] { device_info(name); });
    EXPECT_THAT(text, HasSubstr("there is no device '" + std::string(name) + "' here; there are: auto, "));
    EXPECT_THAT(text, Not(HasSubstr("\n")));
  }
  EXPECT_THROW(make_engine("emu:1", Graph{}, {}), Error);
}

TEST(Backends, AMissingGpuSaysWhy) {
  std::string why;
  if (cuda::gpu_count(&why) > 0) GTEST_SKIP() << "there is a GPU";
  EXPECT_EQ(failure(ErrorKind::kDevice, [] { device_info("cuda"); }), "device 'cuda' is not usable: " + why);
  EXPECT_EQ(failure(ErrorKind::kDevice, [] { selftest_kernels("cuda"); }), "device 'cuda' is not usable: " + why);
  EXPECT_EQ(device_info("auto").name, "cpu");
}

TEST(Backends, FactsStandForNames) {
  const std::vector<DeviceInfo> all = devices();
  const auto named = [&](const std::string& name) {
    return *std::find_if(all.begin(), all.end(), [&](const DeviceInfo& info) { return info.name == name; });
  };
  const DeviceInfo cpu = named("cpu"), cuda = named("cuda"), emu = named("emu");
  EXPECT_EQ(cpu.precisions, (std::vector{Precision::kFloat32, Precision::kInt8}));
  EXPECT_EQ(emu.precisions, (std::vector{Precision::kFloat32, Precision::kFloat16, Precision::kInt8}));
  EXPECT_EQ(cuda.precisions.size(), kPrecisions.size());
  for (const DeviceInfo& info : all) {
    const bool gpu = info.name != "cpu";
    EXPECT_EQ(info.own_memory, gpu) << info.name;
    EXPECT_EQ(info.captures_graphs, gpu) << info.name;
    EXPECT_EQ(info.preprocesses, gpu) << info.name;
    EXPECT_EQ(info.has_selftest, gpu) << info.name;
    EXPECT_EQ(info.emulated, info.name == "emu") << info.name;
    EXPECT_EQ(info.automatic, info.name != "emu") << info.name;
  }
  EXPECT_NE(cpu.facts.isa, "");
  EXPECT_NE(cpu.facts.hardware, "");
  EXPECT_EQ(emu.facts.bus_id, "");
  EXPECT_EQ(cuda.usable, cuda.facts.bus_id != "");
}

TEST(Backends, WithoutASelfTestIsAUsageError) {
  const std::string text = failure(ErrorKind::kUsage, [] { selftest_kernels("cpu"); });
  EXPECT_THAT(text, HasSubstr("the device cpu has no self-test; those that have one: cuda, emu"));
  EXPECT_THAT(selftest_kernels("emu"), Contains("conv_s8_naive"));
}

TEST(Backends, TheEmulatorMakesNoClaimOfSpeed) { EXPECT_EQ(measure_roofs("emu").device, ""); }

TEST(Backends, OnlyTheCpuRunsSingleLayers) {
  EXPECT_EQ(executor_of("cpu").isa, device_info("cpu").facts.isa);
  EXPECT_THAT(failure(ErrorKind::kUsage, [] { executor_of("emu"); }), HasSubstr("emu does not run single layers"));
}

TEST(Backends, AKernelIsNamedOrAPartOfAName) {
  check_kernel("cpu", "conv_s8_portable");
  check_kernel("cpu", "portable");  // an instruction set
  check_kernel("emu", "naive");
  EXPECT_THAT(failure(ErrorKind::kUsage, [] { check_kernel("cpu", "conv_s8_port"); }), HasSubstr("conv_s8_portable"));
  EXPECT_THAT(failure(ErrorKind::kUsage, [] { check_kernel("emu", "wgmma9"); }), HasSubstr("conv_s8_naive"));
}

TEST(Runtimes, AreOneADeviceAndGoWithTheirLastOwner) {
  std::shared_ptr<cuda::Runtime> first = cuda::open_emulator();
  EXPECT_EQ(first, cuda::open_emulator());
  const std::weak_ptr<cuda::Runtime> seen = first;
  first.reset();
  EXPECT_TRUE(seen.expired());
  EXPECT_TRUE(cuda::open_emulator()->properties().emulated);
}

}  // namespace
}  // namespace gpueval
