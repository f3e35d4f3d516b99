// SPDX-License-Identifier: Apache-2.0
#include "core/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "core/input_file.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

using Clock = std::chrono::steady_clock;

// In the child, where only calls that are safe in a signal handler may be made.
[[noreturn]] void become(char* const* argv, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  const int nowhere = ::open("/dev/null", O_WRONLY);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  if (dup2(output, STDOUT_FILENO) >= 0) execv(argv[0], argv);
  _exit(127);
}

std::string ending(int status) {
  if (WIFSIGNALED(status)) return fmt::format("signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  GPUEVAL_CHECK(!command.empty(), "no program");
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("no pipe for {}: {}", command[0], system_message(errno));
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ == 0) become(argv.data(), ends[1], parent);
  const int error = errno;
  ::close(ends[1]);
  output_ = ends[0];
  if (process_ > 0) return;
  ::close(output_);
  fail("{} cannot be started: {}", command[0], system_message(error));
}

ChildProcess::~ChildProcess() {
  end();
  ::close(output_);
}

ChildProcess::Read ChildProcess::read_line(std::string* line, std::chrono::milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  for (;;) {
    if (const auto at = pending_.find('\n'); at != std::string::npos) {
      *line = pending_.substr(0, at);
      pending_.erase(0, at + 1);
      return Read::kLine;
    }
    stop_point();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Read::kLate;
    pollfd ready{output_, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
    if (count <= 0) continue;  // a signal, or late
    std::array<char, 1 << 12> block{};
    const ssize_t got = ::read(output_, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Read::kEnd;
    pending_.append(block.data(), static_cast<std::size_t>(got));
  }
}

std::string ChildProcess::end() {
  if (process_ < 0) return "";
  // One that has closed its output ends by itself in a moment, and then says why. One that was killed may take a while:
  // the driver takes a GPU away from it.
  constexpr auto kPatience = std::chrono::seconds(2), kMost = std::chrono::seconds(10);
  const Clock::time_point begin = Clock::now();
  pollfd closed{output_, 0, 0};
  bool killed = false;
  if (::poll(&closed, 1, 0) == 0) killed = ::kill(process_, SIGKILL) == 0;
  int status = 0;
  for (;;) {
    const pid_t ended = waitpid(process_, &status, WNOHANG);
    if (ended != 0 || Clock::now() > begin + kMost) {
      process_ = -1;
      return ended > 0 ? ending(status) : "not known how";
    }
    if (!killed && Clock::now() > begin + kPatience) killed = ::kill(process_, SIGKILL) == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace gpueval
