// SPDX-License-Identifier: Apache-2.0
// cuDNN and cuBLASLt against the reference, on a GPU; how they are looked for, anywhere.
#include <gtest/gtest.h>

#include "cuda/engine/library_note.h"
#include "cuda/library/baselines.h"
#include "float_conv_case.h"
#include "integer_baseline_case.h"
#include "support/runtimes.h"
#if defined(GPUEVAL_WITH_LIBRARIES)
#include <filesystem>
#include <fstream>

#include "cuda/library/dynamic_library.h"
#endif

namespace gpueval::cuda {
namespace {

TEST(Libraries, AreDescribedWithVersionOrReason) {
  EXPECT_FALSE(library_description().empty());
  for (const LibraryInfo& info : library_infos()) EXPECT_NE(info.version.empty(), info.why.empty()) << info.name;
}

TEST(Libraries, AMissingOneThatWasNeededIsNoted) {
  const auto layers = [](std::initializer_list<const char*> kernels) {
    std::vector<LayerInfo> rows;
    for (const char* kernel : kernels) rows.push_back({.name = "a layer", .kernel = kernel});
    return rows;
  };
  const std::vector<LibraryInfo> none{{"cuDNN", "", "cuDNN is missing: x"}, {"cuBLASLt", "", "cuBLASLt is missing: y"}};
  const std::vector<LibraryInfo> only_cudnn{{"cuDNN", "9.19.0", ""}, none[1]};
  const std::vector<LibraryInfo> both{{"cuDNN", "9.19.0", ""}, {"cuBLASLt", "13.1.0", ""}};
  EXPECT_EQ(library_note(layers({"conv_f16", "conv_f16"}), none),
            "Float layers ran on this program's own, slower kernels. cuDNN is missing: x; cuBLASLt is missing: y.");
  EXPECT_EQ(library_note(layers({"conv_first_s8_mma_128x64x32", "add"}), none), std::nullopt);
  EXPECT_EQ(library_note(layers({"cudnn:GEMM", "depthwise_f32"}), only_cudnn), std::nullopt);
  EXPECT_NE(library_note(layers({"conv_f32"}), only_cudnn), std::nullopt);
  EXPECT_EQ(library_note(layers({"conv_f32", "depthwise_f32"}), both), std::nullopt);
}

TEST(Libraries, TheEmulatorHasNone) {
  const FloatConvData data(kFloatConvCases[0], DType::kF32, true);
  std::string why;
  EXPECT_EQ(make_library_float_conv(emu_runtime(), data.params(FloatMath::kStrict), {}, &why), nullptr);
  EXPECT_NE(why, "");
}

#if defined(GPUEVAL_WITH_LIBRARIES)
TEST(Libraries, AreLookedForInFoldersAndPackages) {
  namespace fs = std::filesystem;
  const fs::path root = fs::path(GPUEVAL_BINARY_DIR) / "library_test";
  for (const char* folder : {"plain", "site/nvidia/cudnn/lib", "site/nvidia/cu13/lib", "packages/cudnn/lib"}) {
    fs::create_directories(root / folder);
    std::ofstream(root / folder / "libx.so.2") << "not a library";
  }
  std::ofstream(root / "plain" / "libx.so.1") << "not a library";
  const char* const names[] = {"libx.so.2", "libx.so.1"};
  const std::string r = root.string();
  const fs::path before = fs::current_path();
  fs::current_path(root);  // where relative folders would be found
  std::ofstream("libx.so.2") << "not a library";
  const std::vector<std::string> found =
      library_candidates(names, ":.:plain:" + r + "/plain:" + r + "/site::" + r + "/packages:/no/such/folder:");
  const std::vector<std::string> want{r + "/plain/libx.so.2",
                                      r + "/plain/libx.so.1",
                                      r + "/site/nvidia/cu13/lib/libx.so.2",
                                      r + "/site/nvidia/cudnn/lib/libx.so.2",
                                      r + "/packages/cudnn/lib/libx.so.2",
                                      "libx.so.2",
                                      "libx.so.1"};
  fs::current_path(before);
  EXPECT_EQ(found, want);
}

TEST(Libraries, AMissingOneIsASentence) {
  const char* const names[] = {"libgpueval_no_such.so.7", "libgpueval_no_such.so.6"};
  DynamicLibrary library(names);
  EXPECT_FALSE(library.is_loaded());
  EXPECT_NE(library.why().find("libgpueval_no_such.so.7 or libgpueval_no_such.so.6 not found"), std::string::npos);
  const char* const c[] = {"libc.so.6"};
  DynamicLibrary present(c);
  ASSERT_TRUE(present.is_loaded()) << present.why();
  int (*function)(int) = nullptr;
  present.find("abs", &function);
  EXPECT_TRUE(present.is_loaded());
  EXPECT_EQ(function(-3), 3);
  present.find("gpueval_no_such_function", &function);
  EXPECT_FALSE(present.is_loaded());
  EXPECT_NE(present.why().find("has no function gpueval_no_such_function"), std::string::npos);
}
#endif

// Tests from here on need a GPU and the libraries.
struct LibraryOnGpu : testing::Test {
  Runtime* runtime = nullptr;
  void SetUp() override {
    std::string why;
    runtime = gpu_runtime(&why);
    if (runtime == nullptr) GTEST_SKIP() << why;
    if (float_baselines().empty()) GTEST_SKIP() << library_description();
    for (const LibraryInfo& info : library_infos()) {
      if (info.version.empty()) GTEST_SKIP() << info.why;
    }
  }
};

TEST_F(LibraryOnGpu, FloatBaselinesAgreeWithTheReference) {
  const StreamHandle stream = make_stream(*runtime);
  for (const FloatBaseline& baseline : float_baselines()) {
    int done = 0;
    for (const FloatConvCase& c : kFloatConvCases) {
      for (const bool integers : {true, false}) {
        const FloatConvData data(c, baseline.type, integers);
        std::string why;
        const auto conv = baseline.make(*runtime, data.params(baseline.math), stream.get(), &why);
        if (!conv) {
          EXPECT_NE(why, "") << baseline.name << " " << c.desc;
          continue;
        }
        ++done;
        for (const int n : {data.desc.n, 1, data.desc.n}) {
          EXPECT_EQ(data.check(*runtime, *conv, baseline.math, n), "") << conv->name() << " " << c.desc << " n " << n;
        }
      }
    }
    EXPECT_GT(done, 0) << baseline.name << " did none of the cases";
  }
}

TEST_F(LibraryOnGpu, TheFastestOneAgreesWithTheReference) {
  const StreamHandle stream = make_stream(*runtime);
  for (const FloatConvCase& c : kFloatConvCases) {
    for (const FloatMath math : {FloatMath::kStrict, FloatMath::kTf32, FloatMath::kHalf}) {
      const FloatConvData data(c, math == FloatMath::kHalf ? DType::kF16 : DType::kF32, false);
      std::string why;
      const auto conv = make_library_float_conv(*runtime, data.params(math), stream.get(), &why);
      if (!conv) {
        EXPECT_NE(why, "") << c.desc;
        continue;
      }
      EXPECT_EQ(data.check(*runtime, *conv, math, data.desc.n), "") << conv->name() << " " << c.desc;
    }
  }
}

TEST_F(LibraryOnGpu, IntegerBaselinesGiveTheReferencesBits) {
  for (const IntegerBaseline& baseline : integer_baselines()) {
    for (const char* text : kIntegerBaselineShapes) {
      EXPECT_EQ(check_integer_baseline(*runtime, baseline, text), "") << baseline.name << " " << text;
    }
  }
}

}  // namespace
}  // namespace gpueval::cuda
