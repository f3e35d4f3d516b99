// SPDX-License-Identifier: Apache-2.0
// Runs the built gpu_eval as a user would, in a temporary folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace gpueval::test {

struct Outcome {
  int code = -1;  // exit code; 128 + signal if killed
  std::string out, err;
};

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest();
  ~ProgramTest() override;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  Outcome run(const std::vector<std::string>& args);
  pid_t start(const std::vector<std::string>& args);  // stdout and stderr go to files
  Outcome wait(pid_t process);

  nlohmann::json read_json(const std::string& name) const;
  std::string read(const std::string& name) const;
  void write(const std::string& name, const std::string& bytes) const;

  // A usage or run-time error: the code, one line on stderr that holds `text`, nothing on stdout.
  void expect_error(const std::vector<std::string>& args, int code, const std::string& text);

  std::string data_ = "/nonexistent";  // GPUEVAL_DATA of the runs
  std::function<void()> in_child_;  // last thing before the program starts: limits, signals, descriptors, environment

 private:
  std::filesystem::path folder_;
};

}  // namespace gpueval::test
