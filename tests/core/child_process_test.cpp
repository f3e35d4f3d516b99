// SPDX-License-Identifier: Apache-2.0
#include "core/child_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "core/stop_signal.h"

namespace gpueval {
namespace {

using namespace std::chrono_literals;
using Read = ChildProcess::Read;

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

TEST(ChildProcess, LinesComeOneByOneThenTheEnd) {
  ChildProcess child(shell("echo one; echo lost >&2; printf 'two\\n\\nhalf'; exit 3"));
  std::string line;
  for (const char* expected : {"one", "two", ""}) {
    ASSERT_EQ(child.read_line(&line, 10s), Read::kLine);
    EXPECT_EQ(line, expected);
  }
  EXPECT_EQ(child.read_line(&line, 10s), Read::kEnd);
  EXPECT_EQ(child.end(), "exit code 3");
}

TEST(ChildProcess, SaysWhichSignalEndedIt) {
  ChildProcess child(shell("kill -SEGV $$"));
  std::string line;
  EXPECT_EQ(child.read_line(&line, 10s), Read::kEnd);
  EXPECT_EQ(child.end(), "signal 11 (Segmentation fault)");
}

TEST(ChildProcess, AHangIsLateAndKilled) {
  const auto begin = std::chrono::steady_clock::now();
  ChildProcess child(shell("echo begun; exec sleep 100"));
  std::string line;
  ASSERT_EQ(child.read_line(&line, 10s), Read::kLine);
  EXPECT_EQ(child.read_line(&line, 50ms), Read::kLate);
  EXPECT_EQ(child.end(), "signal 9 (Killed)");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST(ChildProcess, AMissingProgramEndsWith127) {
  ChildProcess child({"/nonexistent/program"});
  std::string line;
  EXPECT_EQ(child.read_line(&line, 10s), Read::kEnd);
  EXPECT_EQ(child.end(), "exit code 127");
}

TEST(ChildProcess, EndsWithItsOwner) {
  std::string line;
  {
    ChildProcess child(shell("echo $$; exec sleep 100"));
    ASSERT_EQ(child.read_line(&line, 10s), Read::kLine);
  }
  EXPECT_FALSE(std::filesystem::exists("/proc/" + line)) << line;
}

TEST(ChildProcess, ASignalEndsTheWait) {
  const StopSignal stop;
  ChildProcess child(shell("exec sleep 100"));
  raise(SIGINT);
  std::string line;
  EXPECT_THROW(child.read_line(&line, 10s), Interrupted);
}

}  // namespace
}  // namespace gpueval
