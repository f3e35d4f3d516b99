// SPDX-License-Identifier: Apache-2.0
// cuDNN and cuBLASLt against the reference, on a GPU; how they are looked for, anywhere.
#include <gtest/gtest.h>

#include "cuda/engine/library_note.h"
#include "cuda/library/baselines.h"
#include "float_conv_case.h"
#include "reference/reference.h"
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
  const std::vector<std::string> found =
      library_candidates(names, r + "/plain:" + r + "/site::" + r + "/packages:/no/such/folder");
  const std::vector<std::string> want{r + "/plain/libx.so.2",
                                      r + "/plain/libx.so.1",
                                      r + "/site/nvidia/cu13/lib/libx.so.2",
                                      r + "/site/nvidia/cudnn/lib/libx.so.2",
                                      r + "/packages/cudnn/lib/libx.so.2",
                                      "libx.so.2",
                                      "libx.so.1"};
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
  const StreamHandle stream = make_stream(*runtime);
  const auto to_device = [&](const auto& values) {
    DeviceBuffer buffer(*runtime, values.size() * sizeof(values[0]));
    runtime->copy_to_device(buffer.data(), values.data(), buffer.size(), stream.get());
    runtime->synchronize(stream.get());
    return buffer;
  };
  for (const char* text : {"n2h7w9c32_k64r1s1_st1_pad0,0,0,0", "n3h1w1c128_k64r1s1_st1_pad0,0,0,0",
                           "n2h9w9c32_k32r3s3_st1_pad1,1,1,1", "n1h8w8c16_k8r3s3_st2_pad0,1,0,1"}) {
    const ConvDesc desc = parse_conv_desc(text);
    const Shape in{desc.n, desc.h, desc.w, desc.c}, out{desc.n, desc.p(), desc.q(), desc.k};
    Random random(9);
    reference::QuantTensor src(DType::kS8, in);
    for (std::int64_t i = 0; i < in.elements(); ++i) src.set(i, random.integer(-127, 127));
    std::vector<std::int8_t> weights;
    for (std::int64_t i = 0; i < desc.k * desc.depth(); ++i) {
      weights.push_back(static_cast<std::int8_t>(random.integer(-127, 127)));
    }
    const std::vector<float> m(static_cast<std::size_t>(desc.k), 0.001f), b(static_cast<std::size_t>(desc.k), 1.5f);
    const reference::ConvParams params{.desc = desc, .weights = weights, .m = m, .b = b, .lo = -127, .hi = 127};
    const std::vector<std::uint8_t> want = reference::conv(src, params, DType::kS8).bytes;
    const ConvProblem problem{
        .desc = desc, .src = DType::kS8, .dst = DType::kS8, .residual = {}, .src_pitch = desc.c, .dst_pitch = desc.k};
    const DeviceBuffer device_src = to_device(src.bytes), dm = to_device(m), db = to_device(b);
    for (const IntegerBaseline& baseline : integer_baselines()) {
      std::string why;
      const auto conv = baseline.make(*runtime, problem, weights, stream.get(), &why);
      if (!conv) {
        EXPECT_NE(why, "") << baseline.name << " " << text;
        continue;
      }
      const DeviceBuffer dst(*runtime, want.size());
      conv->run({.n = desc.n,
                 .src = device_src.data(),
                 .dst = dst.data(),
                 .m = static_cast<const float*>(dm.data()),
                 .b = static_cast<const float*>(db.data()),
                 .lo = -127,
                 .hi = 127},
                stream.get());
      std::vector<std::uint8_t> actual(want.size());
      runtime->copy_to_host(actual.data(), dst.data(), actual.size(), stream.get());
      runtime->synchronize(stream.get());
      EXPECT_EQ(actual, want) << conv->name() << " " << text << " out " << to_string(out);
    }
  }
}

}  // namespace
}  // namespace gpueval::cuda
