// SPDX-License-Identifier: Apache-2.0
// `gpu_eval selftest` and what a remembered failure does to the other commands.
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <regex>
#include <sstream>

#include "cuda/runtime/runtime.h"
#include "program.h"

namespace gpueval::test {
namespace {

using testing::Contains;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class Selftest : public ProgramTest {
 protected:
  // As if the program had found it: under the key that it writes.
  void remember(const std::string& kernel, const std::string& verdict) {
    ASSERT_EQ(run({"selftest", "--device", "emu", "--kernels", "^copy$"}).code, 0);
    nlohmann::json record = read_json("cache/selftest.json");
    ASSERT_EQ(record["devices"].size(), 1u);
    record["devices"].front()[kernel] = verdict;
    write("cache/selftest.json", record.dump());
  }
  Outcome measure(std::vector<std::string> more) {
    std::vector<std::string> args{
        "--model",   "demo",   "--precision",          "int8", "--scheme",     "maxabs", "--mode",   "speed",
        "--warm-up", "0",      "--duration",           "0",    "--iterations", "1",      "--device", "emu",
        "--json",    "r.json", "--calibration-images", "4"};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
  // Kernels of the last measurement's integer convolutions.
  std::vector<std::string> convolutions() const {
    std::vector<std::string> names;
    const nlohmann::json json = read_json("r.json");
    for (const nlohmann::json& layer : json["runs"][0]["layers"]) {
      const std::string name = layer["kernel"];
      if (name.starts_with("conv_s8") || name.starts_with("conv_first") || name.starts_with("depthwise")) {
        names.push_back(name);
      }
    }
    return names;
  }
  // The process that tests, once it has used so many hundredths of a second.
  static pid_t worker_of(pid_t process, long hundredths) {
    for (int i = 0; i < 3000; ++i, usleep(10'000)) {
      std::ifstream children("/proc/" + std::to_string(process) + "/task/" + std::to_string(process) + "/children");
      pid_t child = 0;
      if (!(children >> child)) continue;
      std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
      std::string word;
      for (int field = 1; field < 14 && stat >> word; ++field) continue;
      long user = 0;
      if (stat >> user && user >= hundredths) return child;
    }
    return -1;
  }
};

TEST_F(Selftest, NamesWhatIsEqualAndRemembersIt) {
  const Outcome outcome =
      run({"selftest", "--device", "emu", "--kernels", "^(add|copy|conv_s8_dp4a_gemv)$", "--json", "s.json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, ContainsRegex("conv_s8_dp4a_gemv +[0-9]+ +equal +[0-9.]+\n"));
  EXPECT_THAT(outcome.out, HasSubstr("All 3 equal the reference on emulator."));
  const nlohmann::json json = read_json("s.json");
  ASSERT_EQ(json["kernels"].size(), 3u);
  EXPECT_EQ(json["kernels"][0]["name"], "conv_s8_dp4a_gemv");
  EXPECT_EQ(json["kernels"][0]["equal"], true);
  EXPECT_EQ(json["failed"], 0);
  EXPECT_THAT(read("cache/selftest.json"), HasSubstr(R"("conv_s8_dp4a_gemv": "equal")"));
}

TEST_F(Selftest, AFailedKernelIsNotChosenUntilItIsTestedAgain) {
  const Outcome before = measure({});
  ASSERT_EQ(before.code, 0) << before.err;
  const std::string first = convolutions().at(0);
  remember(first, "failed: first difference at n 0");
  const Outcome after = measure({});
  ASSERT_EQ(after.code, 0) << after.err;
  const nlohmann::json json = read_json("r.json");
  EXPECT_THAT(convolutions(), Not(Contains(first)));
  EXPECT_THAT(after.out, HasSubstr("failed the self-test on this device: " + first));
  int notes = 0;
  for (const nlohmann::json& note : json["notes"])
    notes += note.get<std::string>().find(first) != std::string::npos ? 1 : 0;
  EXPECT_EQ(notes, 1);
  const Outcome forced = measure({"--kernel", first});
  EXPECT_EQ(forced.code, 2);
  EXPECT_THAT(forced.err, HasSubstr(first + " failed the self-test on this device (first difference at n 0)"));

  ASSERT_EQ(run({"selftest", "--device", "emu", "--kernels", "^" + first + "$"}).code, 0);
  EXPECT_EQ(measure({"--kernel", first}).code, 0);
  EXPECT_THAT(convolutions(), Contains(first));
}

TEST_F(Selftest, ACrashIsAFailureOfTheKernelUnderWay) {
  const pid_t process = start({"selftest", "--device", "emu", "--kernels", "^(conv_s8_(naive|mma_256x128x64)|copy)$"});
  const pid_t worker = worker_of(process, 15);
  ASSERT_GT(worker, 0);
  kill(worker, SIGKILL);
  const Outcome outcome = wait(process);
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  const std::regex sentence(
      "FAILED: (conv_s8_[a-z0-9_]+): the process that ran it ended with signal 9 \\(Killed\\)\\.");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(outcome.out, found, sentence)) << outcome.out;
  EXPECT_THAT(outcome.out, ContainsRegex("copy +[0-9]+ +equal"));
  EXPECT_THAT(outcome.out, HasSubstr("1 of 3 failed on emulator: they are not chosen there."));
  EXPECT_EQ(measure({"--kernel", found[1]}).code, 2);
}

TEST_F(Selftest, CtrlCEndsIt) {
  const pid_t process = start({"selftest", "--device", "emu"});
  ASSERT_GT(worker_of(process, 1), 0);
  kill(process, SIGINT);
  EXPECT_EQ(wait(process).code, 130);
  EXPECT_FALSE(std::filesystem::exists(path("cache/selftest.json")));
}

TEST_F(Selftest, UsageErrorsNameTheOption) {
  expect_error({"selftest", "--device", "cpu"}, 2, "--device cpu: selftest is for the devices cuda and emu");
  expect_error({"selftest", "--device", "emu", "--kernels", "["}, 2, "--kernels [: it is no regular expression");
  expect_error({"selftest", "--device", "emu", "--kernels", "wgmma9"}, 2, "--kernels wgmma9: none of ");
  expect_error({"--model", "demo", "selftest", "--device", "emu"}, 2, "--model contradicts selftest");
  expect_error({"selftest", "--json", ""}, 2, "--json '' names no file");
  const Outcome help = run({"selftest", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("gpu_eval selftest --device emu --kernels"));
  EXPECT_THAT(help.out, Not(HasSubstr("--worker")));
}

TEST_F(Selftest, WithoutAGpuItIsNoUsableDevice) {
  std::string why;
  if (cuda::gpu_count(&why) > 0) GTEST_SKIP() << "there is a GPU";
  expect_error({"selftest"}, 5, why);
  expect_error({"selftest", "--device", "cuda"}, 5, why);
}

}  // namespace
}  // namespace gpueval::test
