// SPDX-License-Identifier: Apache-2.0
// The self-test finds kernels that are wrong at one element, throw, crash or hang, goes on behind them, remembers them,
// and they are not chosen.
#include "cuda/selftest/selftest.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string_view>

#include "cuda/conv/conv_kernel.h"
#include "cuda/runtime/handles.h"
#include "cuda/runtime/tables.h"
#include "cuda/select/selector.h"
#include "cuda/selftest/check.h"
#include "cuda/selftest/record.h"
#include "emulator/stream.h"
#include "gpueval/error.h"
#include "support/runtimes.h"

namespace gpueval::cuda {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const ConvKernel& row_named(std::string_view name) {
  for (const ConvKernel& row : emu::conv_kernels()) {
    if (row.name == name) return row;
  }
  throw Error("no such row");
}
const ConvKernel& naive() { return row_named("conv_s8_naive"); }

// The naive kernel on the cheapest of the problems that it does, with another launch.
ConvKernel planted(const char* name, decltype(ConvKernel::launch) launch) {
  ConvKernel row = naive();
  row.name = name;
  row.supports = [](const ConvProblem& p) { return naive().supports(p) && p.desc.multiply_adds() < 40'000; };
  row.launch = launch;
  return row;
}
void launch_right(const ConvProblem& p, const ConvArgs& args, int sms, Stream stream) {
  naive().launch(p, args, sms, stream);
}
// Wrong by one in channel 3 of the last pixel of one problem.
void launch_wrong(const ConvProblem& p, const ConvArgs& args, int sms, Stream stream) {
  naive().launch(p, args, sms, stream);
  if (p.desc.k != 31) return;
  const auto at = (p.desc.output_pixels() - 1) * p.dst_pitch + 3;
  emulator::enqueue(stream.handle, [=] { static_cast<std::uint8_t*>(args.dst)[at] ^= 1; });
}
void launch_outside(const ConvProblem& p, const ConvArgs& args, int sms, Stream stream) {
  naive().launch(p, args, sms, stream);
  emulator::enqueue(stream.handle, [=] { static_cast<std::uint8_t*>(args.dst)[-1] ^= 1; });
}
[[noreturn]] void launch_throws(const ConvProblem&, const ConvArgs&, int, Stream) { fail("an illegal address"); }
[[noreturn]] void launch_aborts(const ConvProblem&, const ConvArgs&, int, Stream) { std::abort(); }

const std::vector<ConvKernel>& planted_rows() {
  static const std::vector<ConvKernel> rows{
      planted("conv_right", launch_right), planted("conv_s8_dp4a_64x64x32", launch_wrong),
      planted("conv_aborts", launch_aborts), planted("conv_throws", launch_throws),
      planted("conv_right_too", launch_right)};
  return rows;
}

TEST(SelftestCheck, TheFirstWrongElementIsNamedWithItsShape) {
  const CheckResult right = check_conv_kernel(emu_runtime(), planted_rows()[0]);
  EXPECT_EQ(right.failure, "");
  EXPECT_GE(right.cases, 3);
  const CheckResult wrong = check_conv_kernel(emu_runtime(), planted_rows()[1]);
  EXPECT_THAT(wrong.failure, HasSubstr("n1h7w9c17_k31r1s1_st1_pad0,0,0,0 src=s8 dst=s8 residual=s8"));
  EXPECT_THAT(wrong.failure, testing::ContainsRegex("first difference at n 0 p 6 q 8 k 3: expected -?[0-9]+, found "));
  EXPECT_THAT(check_conv_kernel(emu_runtime(), planted("outside", launch_outside)).failure,
              HasSubstr("outside the destination changed"));
}

TEST(SelftestCheck, AKernelThatDoesNoneOfTheProblemsFails) {
  ConvKernel row = naive();
  row.supports = [](const ConvProblem&) { return false; };
  EXPECT_THAT(check_conv_kernel(emu_runtime(), row).failure, HasSubstr("none of the self-test's problems"));
}

// No row, and none that will be added, escapes: each has problems, with both types of source and all of destinations.
TEST(SelftestCheck, KernelsOfEveryKindAreEqual) {
  for (const char* name :
       {"conv_s8_dp4a_gemv", "conv_s8_mma_split_32x64x64", "depthwise_s8_3x3_4x4", "conv_first_s8_mma_128x64x32",
        "conv_s8_mma_64x64x64", "conv_first_pool_s8_mma_256x64x32", "conv_first_pool_s8_dp4a_256x64x4"}) {
    const CheckResult result = check_conv_kernel(emu_runtime(), row_named(name));
    EXPECT_EQ(result.failure, "") << name;
    EXPECT_GE(result.cases, 4) << name;
  }
}

// An operation that tells whether it was called.
template <auto kOp>
struct Watched;
template <typename... Args, void (*Ops::*kOp)(Args...)>
struct Watched<kOp> {
  static void run(Args... args) {
    called = true;
    (emu::ops().*kOp)(args...);
  }
  static inline bool called = false;
};

TEST(SelftestCheck, EveryOperationIsComparedAndEqual) {
  const Ops watched{
#define GPUEVAL_DEVICE_OP(NAME, ...) .NAME = Watched<&Ops::NAME>::run,
#include "cuda/ops/ops.inc"
  };
  for (const OperationCheck& row : operation_checks()) {
    const CheckResult result = row.check(emu_runtime(), watched);
    EXPECT_EQ(result.failure, "") << row.name;
    EXPECT_GE(result.cases, 3) << row.name;
  }
#define GPUEVAL_DEVICE_OP(NAME, ...) \
  EXPECT_TRUE(Watched<&Ops::NAME>::called) << #NAME " is in no check of cuda/selftest/";
#include "cuda/ops/ops.inc"
}

// What an operation is told to write: the last of its views, or else the first address of what is not const.
template <typename... Args>
void* destination_of(const Args&... args) {
  void *view = nullptr, *memory = nullptr;
  const auto keep = [&]<typename T>(const T& value) {
    if constexpr (std::is_same_v<T, DeviceView>) view = value.data;
    if constexpr (std::is_same_v<T, ConvArgs>) view = value.dst;
    if constexpr (std::is_pointer_v<T> && !std::is_const_v<std::remove_pointer_t<T>>) {
      if (memory == nullptr) memory = value;
    }
  };
  (keep(args), ...);
  return view != nullptr ? view : memory;
}

// An operation, and then one bit more in the first byte of its destination.
template <auto kOp>
struct Spoiled;
template <typename... Args, void (*Ops::*kOp)(Args...)>
struct Spoiled<kOp> {
  static void run(Args... args) {
    (emu::ops().*kOp)(args...);
    *static_cast<std::uint8_t*>(destination_of(args...)) ^= 1;
  }
};

TEST(SelftestCheck, WrongOperationsAreNamed) {
  Ops spoiled{
#define GPUEVAL_DEVICE_OP(NAME, ...) .NAME = Spoiled<&Ops::NAME>::run,
#include "cuda/ops/ops.inc"
  };
  spoiled.fill = emu::ops().fill;
  for (const OperationCheck& row : operation_checks()) {
    EXPECT_THAT(row.check(emu_runtime(), spoiled).failure,
                testing::ContainsRegex("first difference at (pixel 0 channel 0|word 0): "))
        << row.name;
  }
}

class SelftestProcess : public testing::Test {
 protected:
  std::vector<SelftestRow> watch(const std::vector<std::string>& names, const std::vector<std::string>& command) {
    return watch_kernels({.device = "emu",
                          .kernels = names,
                          .command = command,
                          .kernel_limit = limit_,
                          .start_limit = start_limit_,
                          .begins = [&](const std::string& name) { begun_.push_back(name); }});
  }
  // The names come as $0.
  std::vector<SelftestRow> watch_script(const std::vector<std::string>& names, const std::string& script) {
    return watch(names, {"/bin/sh", "-c", script});
  }
  std::chrono::milliseconds limit_{60'000}, start_limit_{60'000};
  std::vector<std::string> begun_;
};

const std::string kDoneA = R"(echo '{"begins":"a"}'; echo '{"done":"a","shapes":3,"ms":1.5,"failure":""}'; )";

TEST_F(SelftestProcess, ACrashIsTheKernelsThatWasUnderWay) {
  const auto rows = watch_script({"a", "b", "c"}, "case $0 in a,b,c) " + kDoneA +
                                                      R"(echo noise; echo '{"begins":"b"}'; kill -SEGV $$;;
        c) echo '{"begins":"c"}'; echo '{"done":"c","shapes":2,"ms":1,"failure":"first difference"}';; esac)");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].failure, "");
  EXPECT_EQ(rows[0].shapes, 3);
  EXPECT_EQ(rows[0].ms, 1.5);
  EXPECT_EQ(rows[1].failure, "the process that ran it ended with signal 11 (Segmentation fault)");
  EXPECT_EQ(rows[2].failure, "first difference");
  EXPECT_THAT(begun_, ElementsAre("a", "b", "c"));
}

TEST_F(SelftestProcess, AHangIsCutOff) {
  limit_ = std::chrono::milliseconds(300);
  const auto rows = watch_script(
      {"a", "b"}, "case $0 in b) exec sleep 100;; esac; " + kDoneA + R"(echo '{"begins":"b"}'; exec sleep 100)");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].failure, "it was not done after 0.3 s");
}

TEST_F(SelftestProcess, OneThatNeverBeginsIsAnError) {
  EXPECT_THROW(watch_script({"a"}, "exit 5"), Error);
  EXPECT_THROW(watch_script({"a"}, R"(echo '{"begins":"b"}'; echo '{"done":"b"}')"), Error);
  start_limit_ = std::chrono::milliseconds(100);
  EXPECT_THROW(watch_script({"a"}, "exec sleep 100"), Error);
}

// One that ends between two kernels, as after a lost device, is started again.
TEST_F(SelftestProcess, AnEndBetweenKernelsIsNobodysFault) {
  const auto rows = watch_script({"a", "b"}, "case $0 in a,b) " + kDoneA + R"(;; *)
        echo '{"begins":"b"}'; echo '{"done":"b","shapes":1,"ms":1,"failure":""}';; esac)");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].failure, "");
}

// Not a test: what PlantedKernels starts. The names are its last argument.
TEST_F(SelftestProcess, DISABLED_TestsPlantedKernels) {
  std::ifstream file("/proc/self/cmdline");
  std::string words(std::istreambuf_iterator<char>(file), {}), name;
  words.pop_back();
  std::istringstream last(words.substr(words.rfind('\0') + 1));
  std::vector<std::string> names;
  while (std::getline(last, name, ',')) names.push_back(name);
  test_kernels(emu_runtime(), planted_rows(), names, [](const std::string& line) { std::cout << line << std::endl; });
}

class SelftestRemembered : public SelftestProcess {
 protected:
  SelftestRemembered() { fs::remove_all(folder_); }
  ~SelftestRemembered() override { fs::remove_all(folder_); }
  void write(const std::string& text) {
    fs::create_directories(folder_);
    std::ofstream(path_) << text;
  }
  static std::string emu_key() {
    return tuning_key(emu_runtime().properties(), conv_kernels_of(emu_runtime()), build_revision());
  }
  static std::string error_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  fs::path folder_ = fs::path(testing::TempDir()) /
                     (std::string("gpueval_selftest_") + testing::UnitTest::GetInstance()->current_test_info()->name());
  std::string path_ = (folder_ / "selftest.json").string();
};

// From a wrong kernel to an engine without it, through real processes.
TEST_F(SelftestRemembered, PlantedKernelsAreNamedRememberedAndNotChosen) {
  std::vector<std::string> names;
  for (const ConvKernel& row : planted_rows()) names.emplace_back(row.name);
  const auto rows = watch(names, {"/proc/self/exe", "--gtest_also_run_disabled_tests",
                                  "--gtest_filter=SelftestProcess.DISABLED_TestsPlantedKernels"});
  ASSERT_EQ(rows.size(), names.size());
  EXPECT_EQ(rows[0].failure, "");
  EXPECT_THAT(rows[1].failure, HasSubstr("first difference at"));
  EXPECT_THAT(rows[2].failure, HasSubstr("ended with signal 6"));
  EXPECT_THAT(rows[3].failure, HasSubstr(": an illegal address"));
  EXPECT_EQ(rows[4].failure, "");

  SelftestRecord record(path_, emu_key());
  for (const SelftestRow& row : rows) record.store(row.name, row.failure);
  record.save();
  EXPECT_THAT(record.notes(), ElementsAre());

  const StreamHandle stream = make_stream(emu_runtime());
  const ConvProblem problem{
      .desc = parse_conv_desc("n1h9w9c64_k64r3s3_st1_pad1,1,1,1"), .src_pitch = 64, .dst_pitch = 64};
  EXPECT_STREQ(KernelSelector(emu_runtime(), {.forced = "dp4a_64x64x32"}, stream.get()).choose(problem, "l").name,
               "conv_s8_dp4a_64x64x32");
  KernelSelector selector(emu_runtime(), {.forced = "dp4a", .selftest_path = path_}, stream.get());
  EXPECT_THAT(selector.choose(problem, "layer").name, HasSubstr("dp4a"));
  EXPECT_STRNE(selector.choose(problem, "layer").name, "conv_s8_dp4a_64x64x32");
  EXPECT_THAT(selector.notes(), testing::Contains("Left out, because they failed the self-test on this device: "
                                                  "conv_s8_dp4a_64x64x32; `gpu_eval selftest` tests again."));
  EXPECT_THAT(error_of([&] {
                KernelSelector(emu_runtime(), {.forced = "dp4a_64x64x32", .selftest_path = path_}, stream.get());
              }),
              testing::AllOf(HasSubstr("--kernel dp4a_64x64x32: conv_s8_dp4a_64x64x32 failed the self-test"),
                             HasSubstr("first difference at n 0 p 6 q 8 k 3")));
}

TEST_F(SelftestRemembered, WithoutAnyKernelLeftTheLayerIsNamed) {
  SelftestRecord record(path_, emu_key());
  for (const ConvKernel& row : emu::conv_kernels()) record.store(row.name, "wrong");
  record.store("max_pool", "wrong");
  record.store("detector_keys", "wrong");  // the host does it
  record.save();
  const StreamHandle stream = make_stream(emu_runtime());
  KernelSelector selector(emu_runtime(), {.selftest_path = path_}, stream.get());
  const ConvProblem problem{
      .desc = parse_conv_desc("n1h9w9c64_k64r3s3_st1_pad1,1,1,1"), .src_pitch = 64, .dst_pitch = 64};
  EXPECT_THAT(error_of([&] { selector.choose(problem, "block1"); }),
              testing::AllOf(HasSubstr("layer 'block1'"), HasSubstr("failed the self-test")));
  EXPECT_THAT(selector.notes(), testing::Contains(HasSubstr("results may be wrong: max_pool;")));
}

TEST_F(SelftestRemembered, VerdictsBelongToOneGpuDriverAndBuild) {
  SelftestRecord first(path_, "GPU, driver 13.0, kernels aa");
  first.store("equal", "");
  first.store("wrong", "expected 1, found 2");
  first.save();
  const SelftestRecord same(path_, "GPU, driver 13.0, kernels aa");
  EXPECT_TRUE(same.tested("equal"));
  EXPECT_EQ(same.failure("equal"), std::nullopt);
  EXPECT_EQ(same.failure("wrong"), "expected 1, found 2");
  EXPECT_FALSE(same.tested("another"));
  for (const char* key :
       {"GPU, driver 13.1, kernels aa", "GPU, driver 13.0, kernels bb", "Other, driver 13.0, kernels aa"}) {
    EXPECT_FALSE(SelftestRecord(path_, key).tested("equal")) << key;
  }
  // Tested again, some of them.
  SelftestRecord again(path_, "GPU, driver 13.0, kernels aa");
  again.store("wrong", "");
  again.save();
  const SelftestRecord mended(path_, "GPU, driver 13.0, kernels aa");
  EXPECT_TRUE(mended.tested("equal"));
  EXPECT_TRUE(mended.tested("wrong"));
  EXPECT_TRUE(mended.failures().empty());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "no temporary file stays";
}

TEST_F(SelftestRemembered, DamagedFilesAreNotedAndReplaced) {
  for (const char* text : {"", "{", "[1]", R"({"schema": 2, "devices": {}})", R"({"schema": 1, "devices": 3})"}) {
    SCOPED_TRACE(text);
    write(text);
    SelftestRecord record(path_, "GPU, driver 1, kernels a");
    ASSERT_EQ(record.notes().size(), 1u);
    EXPECT_THAT(record.notes()[0], HasSubstr(path_));
    record.store("k", "wrong");
    record.save();
    EXPECT_EQ(SelftestRecord(path_, "GPU, driver 1, kernels a").failure("k"), "wrong");
  }
}

TEST_F(SelftestRemembered, DamagedVerdictsCountAsUntested) {
  for (const char* entry : {"5", "[\"k\"]", R"({"k": true})", R"({"k": "equa"})", R"({"k": "failed: "})",
                            R"({"k": null})", R"({"k": {"k": "equal"}})"}) {
    SCOPED_TRACE(entry);
    write(std::string(R"({"schema": 1, "devices": {"G, kernels a": )") + entry + "}}");
    SelftestRecord record(path_, "G, kernels a");
    EXPECT_FALSE(record.tested("k"));
    record.store("k", "");
    record.save();
    EXPECT_TRUE(SelftestRecord(path_, "G, kernels a").tested("k"));
  }
}

TEST_F(SelftestRemembered, AnotherUsersOrALinkIsNotTrusted) {
  write(R"({"schema": 1, "devices": {"G, kernels a": {"k": "equal"}}})");
  fs::rename(path_, folder_ / "victim");
  fs::create_symlink(folder_ / "victim", path_);
  SelftestRecord record(path_, "G, kernels a");
  EXPECT_FALSE(record.tested("k"));
  record.store("k", "wrong");
  record.save();
  EXPECT_EQ(record.notes().size(), 2u);
  EXPECT_TRUE(fs::is_symlink(path_));
}

TEST_F(SelftestRemembered, WhatCannotBeWrittenHoldsInThisProcess) {
  write("a file");
  for (const std::string& path : {std::string(), path_ + "/selftest.json"}) {
    SelftestRecord record(path, "G, kernels of nobody");
    record.store("k", "wrong");
    record.save();
    EXPECT_EQ(record.notes().size(), path.empty() ? 0u : 1u);
    EXPECT_EQ(SelftestRecord(path, "G, kernels of nobody").failure("k"), "wrong");
  }
  EXPECT_FALSE(SelftestRecord("", "G, kernels of another").tested("k"));
}

TEST_F(SelftestRemembered, LiesBesideTheTuningCache) {
  EXPECT_EQ(fs::path(default_selftest_path()).parent_path(), fs::path(default_tuning_path()).parent_path());
}

}  // namespace
}  // namespace gpueval::cuda
