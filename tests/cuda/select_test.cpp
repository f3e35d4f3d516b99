// SPDX-License-Identifier: Apache-2.0
// Choosing kernels: pure functions on made-up rows, the cache file, and the real table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "cuda/runtime/handles.h"
#include "cuda/runtime/tables.h"
#include "cuda/select/choice.h"
#include "cuda/select/problem_text.h"
#include "cuda/select/selector.h"
#include "cuda/select/tuning_cache.h"
#include "gpueval/error.h"
#include "support/runtimes.h"

namespace gpueval::cuda {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

ConvProblem problem(const char* desc, std::optional<DType> residual = {}) {
  ConvProblem result{.desc = parse_conv_desc(desc)};
  result.src_pitch = (result.desc.c + 15) / 16 * 16;
  result.dst_pitch = (result.desc.k + 15) / 16 * 16;
  result.residual = residual;
  if (residual) result.residual_pitch = result.dst_pitch;
  return result;
}

const char* const kShape = "n1h8w8c64_k64r3s3_st1_pad1,1,1,1";

ConvKernel row(const char* name, int min_sm, ConvFamily family, ConvTile tile, bool (*supports)(const ConvProblem&)) {
  return {.name = name, .op = ConvOp::kConv, .min_sm = min_sm, .family = family, .tile = tile, .supports = supports};
}
bool always(const ConvProblem&) { return true; }
bool pointwise(const ConvProblem& p) { return p.desc.window.kernel_h == 1; }

const std::vector<ConvKernel> kRows{row("conv_s8_naive", 75, ConvFamily::kNaive, {}, always),
                                    row("conv_s8_dp4a_64x64x32", 75, ConvFamily::kDp4a, {64, 64, 32}, always),
                                    row("conv_s8_mma_64x64x64", 80, ConvFamily::kMma, {64, 64, 64}, always),
                                    row("conv_s8_gemv", 75, ConvFamily::kDp4a, {}, pointwise)};

std::vector<std::string> names(const Candidates& rows) {
  std::vector<std::string> result;
  for (const ConvKernel* r : rows) result.emplace_back(r->name);
  return result;
}

TEST(Choice, CandidatesDoTheProblemOnTheDevice) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(candidates(kRows, problem(kShape), 75)), (Names{"conv_s8_naive", "conv_s8_dp4a_64x64x32"}));
  EXPECT_EQ(names(candidates(kRows, problem("n1h1w1c64_k64r1s1_st1_pad0,0,0,0"), 90)),
            (Names{"conv_s8_naive", "conv_s8_dp4a_64x64x32", "conv_s8_mma_64x64x64", "conv_s8_gemv"}));
}

TEST(Choice, PrefersWhatIsForcedWhereItApplies) {
  using Names = std::vector<std::string>;
  const Candidates all = candidates(kRows, problem(kShape), 80);
  EXPECT_EQ(names(prefer(all, "mma")), Names{"conv_s8_mma_64x64x64"});
  EXPECT_EQ(names(prefer(all, "conv_s8_naive")), Names{"conv_s8_naive"});
  EXPECT_EQ(names(prefer(all, "gemv")), names(all)) << "does not apply to 3x3";
  EXPECT_EQ(names(prefer(all, "")), names(all));
}

TEST(Choice, NaiveKernelsAreLeftWhereNothingElseIs) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(without_naive(candidates(kRows, problem(kShape), 80))),
            (Names{"conv_s8_dp4a_64x64x32", "conv_s8_mma_64x64x64"}));
  EXPECT_EQ(names(without_naive({kRows.data()})), Names{"conv_s8_naive"});
}

TEST(Choice, CheapestIsTheFirstOfEquals) {
  const Candidates all = candidates(kRows, problem(kShape), 80);
  std::map<std::string, double> cost{{"conv_s8_naive", 3}, {"conv_s8_dp4a_64x64x32", 1}, {"conv_s8_mma_64x64x64", 1}};
  const auto lookup = [&](const ConvKernel& r) { return cost.at(r.name); };
  EXPECT_STREQ(cheapest(all, lookup)->name, "conv_s8_dp4a_64x64x32");
  cost["conv_s8_naive"] = 0.5;
  EXPECT_STREQ(cheapest(all, lookup)->name, "conv_s8_naive");
  EXPECT_EQ(cheapest({}, lookup), nullptr);
}

TEST(Choice, EmulatedCostCountsPaddedProducts) {
  const ConvProblem p = problem("n1h1w1c33_k65r1s1_st1_pad0,0,0,0");
  EXPECT_DOUBLE_EQ(emulated_cost(row("any", 75, ConvFamily::kNaive, {}, always), p), 33.0 * 65);
  EXPECT_DOUBLE_EQ(emulated_cost(row("any", 75, ConvFamily::kNaive, {64, 64, 32}, always), p), 64.0 * 128 * 64);
  // A map that fills its tiles: tensor cores before dp4a before naive, plain before split.
  const ConvProblem full = problem("n4h8w8c64_k64r3s3_st1_pad1,1,1,1");
  const double mma = emulated_cost(kRows[2], full), dp4a = emulated_cost(kRows[1], full);
  EXPECT_LT(mma, dp4a);
  EXPECT_LT(dp4a, emulated_cost(kRows[0], full));
  EXPECT_LT(mma, emulated_cost(row("any", 80, ConvFamily::kMma, {64, 64, 64, true}, always), full));
}

// The names say family and tile to people: "conv_s8_mma_split_32x64x64".
TEST(ConvRows, NamesSayWhatTheRowsAre) {
  const std::map<ConvFamily, std::string> words{{ConvFamily::kNaive, "_naive"},
                                                {ConvFamily::kDp4a, "_dp4a_"},
                                                {ConvFamily::kMma, "_mma_"},
                                                {ConvFamily::kMmaM8N8K16, "_mma_m8n8k16_"},
                                                {ConvFamily::kWgmma, "_wgmma_"}};
  int tiled = 0;
  for (const ConvKernel& kernel : emu::conv_kernels()) {
    const std::string name = kernel.name;
    if (kernel.op != ConvOp::kDepthwise) {
      EXPECT_THAT(name, HasSubstr(words.at(kernel.family)));
    }
    EXPECT_EQ(kernel.tile.split_depth, name.find("_split") != std::string::npos) << name;
    std::smatch size;
    if (!std::regex_search(name, size, std::regex("_([0-9]+)x([0-9]+)x([0-9]+)"))) continue;
    ++tiled;
    EXPECT_EQ(name.find("_mma_m8n8k16_") != std::string::npos, kernel.family == ConvFamily::kMmaM8N8K16) << name;
    EXPECT_EQ(fmt::format("_{}x{}x{}", kernel.tile.pixels, kernel.tile.channels, kernel.tile.depth), size[0].str())
        << name;
  }
  EXPECT_GT(tiled, 20);
}

TEST(ProblemText, HoldsWhatTimeDependsOn) {
  ConvProblem p = problem(kShape, DType::kS8);
  EXPECT_EQ(to_string(p), "n1h8w8c64_k64r3s3_st1_pad1,1,1,1 u8 > u8 + s8 pitch 64 > 64 + 64");
  std::set<std::string> texts{to_string(p)};
  p.residual.reset();
  texts.insert(to_string(p));
  p.src = DType::kS8;
  texts.insert(to_string(p));
  p.dst = DType::kF32;
  texts.insert(to_string(p));
  p.src_pitch = 80;
  texts.insert(to_string(p));
  p.dst_pitch = 80;
  texts.insert(to_string(p));
  p.desc.n = 2;
  texts.insert(to_string(p));
  p.pool = Window{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {1, 1, 1, 1}};
  EXPECT_THAT(to_string(p), HasSubstr(" max pool 3x3 stride 2x2 pad 1,1,1,1"));
  texts.insert(to_string(p));
  p.pool->pad.left = 0;
  texts.insert(to_string(p));
  EXPECT_EQ(texts.size(), 9u);
}

class TuningCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("gpueval_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    path_ = (folder_ / "deep" / "tuning.json").string();
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& text) {
    fs::create_directories(fs::path(path_).parent_path());
    std::ofstream(path_) << text;
  }
  std::string read() {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path folder_;
  std::string path_;
};

TEST_F(TuningCacheTest, KeepsTimesBetweenRuns) {
  TuningCache first(path_, "GPU, driver 13.0, kernels aa");
  EXPECT_EQ(first.find("problem", "kernel"), std::nullopt);
  first.store("problem", "kernel", 12.5);
  first.save();
  EXPECT_TRUE(first.notes().empty());
  EXPECT_EQ(TuningCache(path_, "GPU, driver 13.0, kernels aa").find("problem", "kernel"), 12.5);
  EXPECT_EQ(TuningCache(path_, "GPU, driver 13.1, kernels aa").find("problem", "kernel"), std::nullopt);
  EXPECT_EQ(TuningCache(path_, "GPU, driver 13.0, kernels bb").find("problem", "kernel"), std::nullopt);
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(path_).parent_path()), {}), 1) << "no temporary file stays";
}

TEST_F(TuningCacheTest, MergesWithOthersAndDropsOldKernels) {
  TuningCache mine(path_, "GPU, driver 13.0, kernels bb"), other(path_, "Other, driver 13.0, kernels bb");
  TuningCache old(path_, "GPU, driver 13.0, kernels aa");
  old.store("p", "k", 1);
  old.save();
  mine.store("p", "k", 2);
  other.store("p", "k", 3);
  other.save();
  mine.save();
  EXPECT_EQ(TuningCache(path_, "GPU, driver 13.0, kernels bb").find("p", "k"), 2);
  EXPECT_EQ(TuningCache(path_, "Other, driver 13.0, kernels bb").find("p", "k"), 3);
  EXPECT_EQ(TuningCache(path_, "GPU, driver 13.0, kernels aa").find("p", "k"), std::nullopt);
}

TEST_F(TuningCacheTest, DamagedOrForeignFilesAreNotedAndReplaced) {
  for (const char* text : {"", "{", "[1,2]", "{\"schema\": 7, \"devices\": {}}", "{\"schema\": 1, \"devices\": 3}"}) {
    SCOPED_TRACE(text);
    write(text);
    TuningCache cache(path_, "GPU, driver 1, kernels a");
    ASSERT_EQ(cache.notes().size(), 1u);
    EXPECT_NE(cache.notes()[0].find(path_), std::string::npos);
    cache.store("p", "k", 4);
    cache.save();
    EXPECT_EQ(TuningCache(path_, "GPU, driver 1, kernels a").find("p", "k"), 4);
  }
}

TEST_F(TuningCacheTest, IgnoresEntriesThatAreNoTimes) {
  write(R"({"schema": 1, "devices": {"D, kernels a": {"p": {"a": -1, "b": "fast", "c": 0, "d": 2.5}, "q": 5}}})");
  const TuningCache cache(path_, "D, kernels a");
  EXPECT_TRUE(cache.notes().empty());
  for (const char* kernel : {"a", "b", "c"}) EXPECT_EQ(cache.find("p", kernel), std::nullopt) << kernel;
  EXPECT_EQ(cache.find("p", "d"), 2.5);
  EXPECT_EQ(cache.find("q", "d"), std::nullopt);
}

TEST_F(TuningCacheTest, AnUnwritablePlaceIsANote) {
  write("file");
  TuningCache cache(path_ + "/tuning.json", "D, kernels a");
  cache.store("p", "k", 1);
  cache.save();
  ASSERT_EQ(cache.notes().size(), 1u);
  EXPECT_NE(cache.notes()[0].find("could not be written"), std::string::npos) << cache.notes()[0];
  EXPECT_EQ(read(), "file");
}

TEST_F(TuningCacheTest, NothingOfOthersIsReadOrReplaced) {
  write("{}");
  const fs::path victim = folder_ / "victim";
  fs::rename(path_, victim);
  fs::create_symlink(victim, path_);
  TuningCache cache(path_, "D, kernels a");
  ASSERT_EQ(cache.notes().size(), 1u);
  EXPECT_NE(cache.notes()[0].find("is a symbolic link"), std::string::npos) << cache.notes()[0];
  cache.store("p", "k", 1);
  cache.save();
  EXPECT_EQ(fs::file_size(victim), 2u);
  EXPECT_TRUE(fs::is_symlink(path_));
}

TEST_F(TuningCacheTest, DeepJsonIsNoted) {
  write(std::string(100'000, '[') + std::string(100'000, ']'));
  const TuningCache cache(path_, "D, kernels a");
  ASSERT_EQ(cache.notes().size(), 1u);
  EXPECT_NE(cache.notes()[0].find("64 levels"), std::string::npos) << cache.notes()[0];
}

TEST(TuningKey, NamesGpuDriverAndKernels) {
  DeviceProperties device{.name = "GPU", .driver = "13.0"};
  const std::string key = tuning_key(device, kRows, "abc");
  EXPECT_EQ(key.find("GPU, driver 13.0, kernels "), 0u);
  EXPECT_EQ(key, tuning_key(device, kRows, "abc"));
  EXPECT_NE(key, tuning_key(device, kRows, "abd"));
  EXPECT_NE(key, tuning_key(device, std::span(kRows).first(3), "abc"));
}

class SelectorTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string why;
    runtime_ = std::string(GetParam()) == "emu" ? &emu_runtime() : gpu_runtime(&why);
    if (runtime_ == nullptr) GTEST_SKIP() << why;
    stream_ = make_stream(*runtime_);
  }
  Runtime* runtime_ = nullptr;
  StreamHandle stream_;
};

// Every kernel that does the problem is measured once; the next engine finds the times in the file.
TEST_P(SelectorTest, MeasuresOnceAndChoosesTheFastest) {
  const std::string path = (fs::path(testing::TempDir()) / (std::string("gpueval_tuned_") + GetParam())).string();
  fs::remove(path);
  const ConvProblem p = problem("n1h4w4c16_k24r1s1_st1_pad0,0,0,0", DType::kU8);
  const std::string key = tuning_key(runtime_->properties(), conv_kernels_of(*runtime_), build_revision());
  const SelectorOptions options{.timed = true, .cache_path = path};
  KernelSelector selector(*runtime_, options, stream_.get());
  const std::string chosen = selector.choose(p, "layer").name;
  selector.save();
  const TuningCache times(path, key);
  std::string fastest;
  double least = 1e30;
  const Candidates all = without_naive(candidates(conv_kernels_of(*runtime_), p, runtime_->properties().sm));
  for (const ConvKernel* r : all) {
    const std::optional<double> time = times.find(to_string(p), r->name);
    ASSERT_TRUE(time.has_value()) << r->name;
    EXPECT_GT(*time, 0) << r->name;
    if (*time < least) {
      least = *time;
      fastest = r->name;
    }
  }
  EXPECT_EQ(chosen, fastest);

  TuningCache edited(path, key);
  edited.store(to_string(p), all.back()->name, least / 2);
  edited.save();
  EXPECT_STREQ(KernelSelector(*runtime_, options, stream_.get()).choose(p, "layer").name, all.back()->name);
  fs::remove(path);
}

TEST_P(SelectorTest, EstimatesAreReproducible) {
  KernelSelector selector(*runtime_, {}, stream_.get());
  for (const char* shape : {kShape, "n4h14w14c64_k128r1s1_st1_pad0,0,0,0", "n1h9w9c3_k16r3s3_st2_pad0,1,0,1"}) {
    const ConvProblem p = problem(shape);
    const std::string first = selector.choose(p, "layer").name;
    EXPECT_EQ(selector.choose(p, "layer").name, first);
  }
}

// A convolution with its pool: estimated, only where such a row is forced; timed, where it beats the two together.
class PooledSelectorTest : public SelectorTest {
 protected:
  void SetUp() override {
    SelectorTest::SetUp();
    plain_.desc = parse_conv_desc("n2h9w9c3_k16r3s3_st1_pad1,1,1,1");
    plain_.src_pitch = 4;
    plain_.dst_pitch = 16;
    pooled_ = plain_;
    pooled_.pool = Window{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  }
  std::string chosen(const SelectorOptions& options) {
    KernelSelector selector(*runtime_, options, stream_.get());
    const ConvKernel* row = selector.choose_pooled(pooled_, selector.choose(plain_, "layer"));
    selector.save();
    return row == nullptr ? "" : row->name;
  }
  ConvProblem plain_, pooled_;
};

TEST_P(PooledSelectorTest, IsForcedAndForbiddenByName) {
  EXPECT_EQ(chosen({}), "");
  for (const bool timed : {false, true}) {
    EXPECT_EQ(chosen({.forced = "conv_first_pool_s8_dp4a", .timed = timed}), "conv_first_pool_s8_dp4a_256x64x4");
    EXPECT_EQ(chosen({.forced = "conv_first_s8", .timed = timed}), "");
    EXPECT_EQ(chosen({.forced = "conv_s8_naive", .timed = timed}), "");
  }
  EXPECT_THAT(chosen({.forced = "conv_first_pool"}), HasSubstr("conv_first_pool"));
}

TEST_P(PooledSelectorTest, IsChosenWhereItIsFasterThanBoth) {
  const std::string path = (fs::path(testing::TempDir()) / (std::string("gpueval_pooled_") + GetParam())).string();
  fs::remove(path);
  const SelectorOptions options{.timed = true, .cache_path = path};
  chosen(options);  // measures
  const std::string key = tuning_key(runtime_->properties(), conv_kernels_of(*runtime_), build_revision());
  const auto with_times = [&](double pooled, double plain, double pool) {
    TuningCache times(path, key);
    for (const ConvKernel& row : conv_kernels_of(*runtime_)) {
      if (row.does(pooled_)) times.store(to_string(pooled_), row.name, pooled);
      if (row.does(plain_)) times.store(to_string(plain_), row.name, plain);
    }
    EXPECT_TRUE(times.find(to_string(pooled_), "max_pool").has_value());
    times.store(to_string(pooled_), "max_pool", pool);
    times.save();
    return chosen(options);
  };
  EXPECT_THAT(with_times(5, 3, 3), HasSubstr("conv_first_pool"));
  EXPECT_EQ(with_times(7, 3, 3), "");
  fs::remove(path);
}

TEST_P(SelectorTest, NoKernelIsAnErrorThatNamesLayerAndProblem) {
  KernelSelector selector(*runtime_, {}, stream_.get());
  ConvProblem p = problem(kShape);
  p.src_pitch = 7;  // no kernel reads that
  try {
    selector.choose(p, "block1_conv1");
    FAIL() << "chose one";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("block1_conv1"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("pitch 7"), std::string::npos);
  }
}

std::string device_name(const testing::TestParamInfo<const char*>& device) { return device.param; }
INSTANTIATE_TEST_SUITE_P(, SelectorTest, testing::Values("emu", "gpu"), device_name);
INSTANTIATE_TEST_SUITE_P(, PooledSelectorTest, testing::Values("emu", "gpu"), device_name);

}  // namespace
}  // namespace gpueval::cuda
