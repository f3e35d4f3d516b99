// SPDX-License-Identifier: Apache-2.0
// Our host code around cuDNN and cuBLASLt (descriptors, padding, layouts, epilogues, choice of plans and their cached
// times) on the emulated device, with the libraries of fake/ in the place of the real ones.
#include "cuda/library/baselines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>

#include "cuda/float_conv_case.h"
#include "cuda/integer_baseline_case.h"
#include "cuda/select/tuning_cache.h"
#include "fake_libraries.h"
#include "support/runtimes.h"

namespace gpueval::cuda {
namespace {

struct Library {
  const char* file;
  const char* baseline;  // its strict float32
  int shapes;            // of kFloatConvCases that it does
  int least_calls;       // for the plans of the first of them
  std::size_t version, next;
};
constexpr Library kCudnn{"libcudnn.so.9", "cudnn_f32", 11, 3 * (1 + 2 + 5), 91900, 92000};
constexpr Library kCublasLt{"libcublasLt.so.13", "cublaslt_f32", 3, 2 * (1 + 2 + 5), 130100, 130200};

void PrintTo(const Library& library, std::ostream* out) { *out << library.file; }

bool is_product(const FloatConvCase& c) {
  const ConvDesc desc = parse_conv_desc(c.desc);
  return !desc.depthwise && desc.window == Window{};
}

class FakeLibraries : public testing::TestWithParam<Library> {
 protected:
  void SetUp() override { library_.set_version(GetParam().version); }
  bool does(const FloatConvCase& c) const { return GetParam().file == kCudnn.file || is_product(c); }

  std::unique_ptr<FloatConv> make(const FloatBaseline& row, const FloatConvData& data, TuningCache* times = nullptr) {
    FloatConvParams params = data.params(row.math);
    params.times = times;
    why_.clear();
    return row.make(emu_runtime(), params, stream_.get(), &why_);
  }

  FakeLibrary library_{GetParam().file};
  StreamHandle stream_ = make_stream(emu_runtime());
  std::string why_;
};

TEST_P(FakeLibraries, EveryCaseAgreesWithTheReference) {
  const std::string family = std::string(GetParam().baseline).substr(0, std::string(GetParam().baseline).find('_'));
  for (const FloatBaseline& row : float_baselines()) {
    if (!std::string(row.name).starts_with(family)) continue;
    int shapes = 0;
    for (const FloatConvCase& c : kFloatConvCases) {
      for (const bool integers : {true, false}) {
        const FloatConvData data(c, row.type, integers);
        const auto conv = make(row, data);
        ASSERT_EQ(conv != nullptr, does(c)) << row.name << " " << c.desc << why_;
        if (!conv) {
          EXPECT_NE(why_.find("1x1 convolutions of stride 1 only"), std::string::npos) << why_;
          continue;
        }
        shapes += integers ? 1 : 0;
        for (const int n : {data.desc.n, 1, data.desc.n}) {
          EXPECT_EQ(data.check(emu_runtime(), *conv, row.math, n), "") << conv->name() << " " << c.desc << " n " << n;
        }
      }
    }
    EXPECT_EQ(shapes, GetParam().shapes) << row.name;
  }
}

TEST_P(FakeLibraries, PlansAreTimedOnceAndAgainForAnotherVersion) {
  const std::string path = (std::filesystem::path(testing::TempDir()) / "fake_tuning.json").string();
  std::filesystem::remove(path);
  const FloatConvCase* first_case = kFloatConvCases;
  while (!does(*first_case)) ++first_case;
  const FloatConvData data(*first_case, DType::kF32, true);
  const auto calls_of_making = [&](TuningCache* times, std::string* name) {
    const int before = library_.calls();
    const auto conv = make(float_baseline(GetParam().baseline), data, times);
    EXPECT_TRUE(conv) << why_;
    const int made = library_.calls() - before;
    EXPECT_EQ(data.check(emu_runtime(), *conv, FloatMath::kStrict, data.desc.n), "");
    *name = conv->name();
    return made;
  };
  std::string first, again, other;
  TuningCache cache(path, "a GPU");
  EXPECT_GE(calls_of_making(&cache, &first), GetParam().least_calls) << "every plan, timed";
  EXPECT_EQ(calls_of_making(&cache, &again), 0) << "the same layer once more";
  EXPECT_EQ(again, first);
  cache.save();
  TuningCache reread(path, "a GPU");
  EXPECT_EQ(calls_of_making(&reread, &again), 0);
  EXPECT_EQ(again, first);
  TuningCache elsewhere(path, "another GPU");
  EXPECT_GT(calls_of_making(&elsewhere, &other), 0);
  library_.set_version(GetParam().next);
  EXPECT_GT(calls_of_making(&reread, &other), 0);
}

INSTANTIATE_TEST_SUITE_P(All, FakeLibraries, testing::Values(kCudnn, kCublasLt),
                         [](const auto& library) { return std::string(library.param.baseline); });

std::string name_of(const char* baseline, const FloatConvCase& c) {
  const StreamHandle stream = make_stream(emu_runtime());
  const FloatBaseline& row = float_baseline(baseline);
  const FloatConvData data(c, row.type, true);
  std::string why;
  const auto conv = row.make(emu_runtime(), data.params(row.math), stream.get(), &why);
  return conv ? conv->name() : why;
}

TEST(FakeCudnn, NamesTellPaddingAndEpilogue) {
  const FakeLibrary library(kCudnn.file);
  EXPECT_NE(name_of("cudnn_f32", kFloatConvCases[2]).find("+pad+epilogue"), std::string::npos)
      << "ReLU6 on asymmetric padding";
  const std::string bare = name_of("cudnn_f32", kFloatConvCases[7]);  // fused or not, nothing is left to do
  EXPECT_EQ(bare.find("+pad"), std::string::npos) << bare;
  EXPECT_EQ(bare.find("+epilogue"), std::string::npos) << bare;
}

TEST(FakeCublasLt, NamesTellAlgorithmAndEpilogue) {
  const FakeLibrary library(kCublasLt.file);
  const FloatConvCase relu = kFloatConvCases[5];
  EXPECT_THAT(name_of("cublaslt_f32", relu), testing::MatchesRegex("cublaslt:algo (21|7).epilogue")) << "nothing fused";
  EXPECT_THAT(name_of("cublaslt_f16", relu), testing::MatchesRegex("cublaslt:algo (21|7).(epilogue|fused)"));
  EXPECT_THAT(name_of("cublaslt_f16", {relu.desc, Activation::kRelu6}),
              testing::MatchesRegex("cublaslt:algo (21|7).epilogue"));
  EXPECT_THAT(name_of("cublaslt_f16", {relu.desc, Activation::kNone, false, false}),
              testing::MatchesRegex("cublaslt:algo (21|7)"));
}

TEST(FakeIntegerBaselines, GiveTheReferencesBits) {
  const FakeLibrary cudnn(kCudnn.file), cublaslt(kCublasLt.file);
  for (const IntegerBaseline& baseline : integer_baselines()) {
    for (const char* text : kIntegerBaselineShapes) {
      EXPECT_EQ(check_integer_baseline(emu_runtime(), baseline, text), "") << baseline.name << " " << text;
    }
  }
  // Where they have none they say so.
  EXPECT_NE(integer_baseline_why(emu_runtime(), integer_baselines()[1], "n2h9w9c32_k32r3s3_st1_pad1,1,1,1"), "");
  EXPECT_NE(integer_baseline_why(emu_runtime(), integer_baselines()[1], "n2h9w9c32_k30r1s1_st1_pad0,0,0,0"), "");
  EXPECT_NE(integer_baseline_why(emu_runtime(), integer_baselines()[0], "n1h8w8c16_k8r3s3_st2_pad0,1,0,1"), "");
  EXPECT_EQ(integer_baseline_why(emu_runtime(), integer_baselines()[0], "n2h9w9c32_k32r3s3_st1_pad1,1,1,1"), "");
}

}  // namespace
}  // namespace gpueval::cuda
