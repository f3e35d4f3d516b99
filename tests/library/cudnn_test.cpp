// SPDX-License-Identifier: Apache-2.0
// Our host code around cuDNN (descriptors, padding, layouts, epilogues, choice of plans and their cached times) on the
// emulated device, with a cuDNN of plain loops in the place of the real one (fake/fake_cudnn.cpp).
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "cuda/float_conv_case.h"
#include "cuda/library/baselines.h"
#include "cuda/select/tuning_cache.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

class FakeCudnn : public testing::Test {
 protected:
  static void SetUpTestSuite() { setenv("GPUEVAL_CUDA_LIBRARIES", GPUEVAL_FAKE_LIBRARIES, 1); }
  void SetUp() override {
    const std::vector<LibraryInfo> infos = library_infos();
    ASSERT_EQ(infos[0].why, "");
    void* const library = dlopen(GPUEVAL_FAKE_LIBRARIES "/libcudnn.so.9", RTLD_NOW | RTLD_NOLOAD);
    ASSERT_NE(library, nullptr) << "another cuDNN was loaded";
    calls_ = reinterpret_cast<int (*)()>(dlsym(library, "fake_cudnn_forward_calls"));
    set_version_ = reinterpret_cast<void (*)(std::size_t)>(dlsym(library, "fake_cudnn_set_version"));
    set_version_(91900);
  }
  int calls() const { return calls_(); }
  void set_version(std::size_t version) const { set_version_(version); }
  static const FloatBaseline& baseline(const std::string& name) {
    for (const FloatBaseline& row : float_baselines()) {
      if (row.name == name) return row;
    }
    fail("no baseline {}", name);
  }

 private:
  int (*calls_)() = nullptr;
  void (*set_version_)(std::size_t) = nullptr;
};

TEST_F(FakeCudnn, EveryCaseAgreesWithTheReference) {
  const StreamHandle stream = make_stream(emu_runtime());
  for (const char* name : {"cudnn_f32", "cudnn_tf32", "cudnn_f16"}) {
    const FloatBaseline& row = baseline(name);
    for (const FloatConvCase& c : kFloatConvCases) {
      for (const bool integers : {true, false}) {
        const FloatConvData data(c, row.type, integers);
        std::string why;
        const auto conv = row.make(emu_runtime(), data.params(row.math), stream.get(), &why);
        ASSERT_TRUE(conv) << why;
        for (const int n : {data.desc.n, 1, data.desc.n}) {
          EXPECT_EQ(data.check(emu_runtime(), *conv, row.math, n), "") << conv->name() << " " << c.desc << " n " << n;
        }
      }
    }
  }
}

TEST_F(FakeCudnn, NamesTellPaddingAndEpilogue) {
  const StreamHandle stream = make_stream(emu_runtime());
  const auto name = [&](const FloatConvCase& c) {
    std::string why;
    const FloatConvData data(c, DType::kF32, true);
    return baseline("cudnn_f32").make(emu_runtime(), data.params(FloatMath::kStrict), stream.get(), &why)->name();
  };
  EXPECT_NE(name(kFloatConvCases[2]).find("+pad+epilogue"), std::string::npos) << "ReLU6 on asymmetric padding";
  const std::string bare = name(kFloatConvCases[7]);  // fused or not, nothing is left to do
  EXPECT_EQ(bare.find("+pad"), std::string::npos) << bare;
  EXPECT_EQ(bare.find("+epilogue"), std::string::npos) << bare;
}

TEST_F(FakeCudnn, PlansAreTimedOnceAndAgainForAnotherVersion) {
  const std::string path = (std::filesystem::path(testing::TempDir()) / "fake_cudnn_tuning.json").string();
  std::filesystem::remove(path);
  const StreamHandle stream = make_stream(emu_runtime());
  const FloatConvData data(kFloatConvCases[0], DType::kF32, true);
  const auto calls_of_making = [&](TuningCache* times, std::string* name) {
    const int before = calls();
    std::string why;
    FloatConvParams params = data.params(FloatMath::kStrict);
    params.times = times;
    const auto conv = baseline("cudnn_f32").make(emu_runtime(), params, stream.get(), &why);
    EXPECT_TRUE(conv) << why;
    const int made = calls() - before;
    EXPECT_EQ(data.check(emu_runtime(), *conv, FloatMath::kStrict, data.desc.n), "");
    *name = conv->name();
    return made;
  };
  std::string first, again, other;
  TuningCache cache(path, "a GPU");
  EXPECT_GE(calls_of_making(&cache, &first), 3 * (1 + 2 + 5)) << "three plans, timed";
  EXPECT_EQ(calls_of_making(&cache, &again), 0) << "the same layer once more";
  EXPECT_EQ(again, first);
  cache.save();
  TuningCache reread(path, "a GPU");
  EXPECT_EQ(calls_of_making(&reread, &again), 0);
  EXPECT_EQ(again, first);
  TuningCache elsewhere(path, "another GPU");
  EXPECT_GT(calls_of_making(&elsewhere, &other), 0);
  set_version(92000);
  EXPECT_GT(calls_of_making(&reread, &other), 0);
}

}  // namespace
}  // namespace gpueval::cuda
