// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace gpueval::test {

ProgramTest::ProgramTest() {
  std::string pattern = (std::filesystem::temp_directory_path() / "gpueval_cli_XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
}

ProgramTest::~ProgramTest() { std::filesystem::remove_all(folder_); }

pid_t ProgramTest::start(const std::vector<std::string>& args) {
  const std::string program = GPUEVAL_BINARY_DIR "/gpu_eval";
  std::vector<const char*> argv{program.c_str()};
  for (const std::string& arg : args) argv.push_back(arg.c_str());
  argv.push_back(nullptr);
  const std::string out = path("stdout"), err = path("stderr"), cache = path("cache"), folder = folder_.string();
  const pid_t process = fork();
  if (process != 0) return process;
  dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDOUT_FILENO);
  dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
  setenv("HOME", folder.c_str(), 1);
  setenv("GPUEVAL_CACHE", cache.c_str(), 1);
  setenv("GPUEVAL_DATA", data_.c_str(), 1);
  const bool there = chdir(folder.c_str()) == 0;
  if (in_child_) in_child_();
  if (there) execv(program.c_str(), const_cast<char**>(argv.data()));
  _exit(127);
}

Outcome ProgramTest::wait(pid_t process) {
  int status = 0;
  waitpid(process, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read("stdout"), read("stderr")};
}

Outcome ProgramTest::run(const std::vector<std::string>& args) { return wait(start(args)); }

std::string ProgramTest::read(const std::string& name) const {
  std::ifstream file(path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

nlohmann::json ProgramTest::read_json(const std::string& name) const {
  nlohmann::json json = nlohmann::json::parse(read(name), nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << name << " is no JSON";
  return json;
}

void ProgramTest::write(const std::string& name, const std::string& bytes) const {
  std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
  std::ofstream(path(name), std::ios::binary) << bytes;
}

void ProgramTest::expect_error(const std::vector<std::string>& args, int code, const std::string& text) {
  std::string shown;
  for (const std::string& arg : args) shown += arg + ' ';
  const Outcome outcome = run(args);
  EXPECT_EQ(outcome.code, code) << shown << outcome.err;
  EXPECT_NE(outcome.err.find(text), std::string::npos) << shown << "\nexpected: " << text << "\nfound: " << outcome.err;
  EXPECT_TRUE(outcome.err.starts_with("gpu_eval: error: ")) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << shown << "\n" << outcome.err;
  EXPECT_EQ(outcome.out, "") << shown;
}

}  // namespace gpueval::test
