// SPDX-License-Identifier: Apache-2.0
#include "io/weights/rehearse.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <fstream>
#include <string_view>

#include "core/input_file.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

using Clock = std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddressSanitizer = true;  // its shadow memory is reserved address space: no limit can be set
#else
constexpr bool kAddressSanitizer = false;
#endif

void limit(decltype(RLIMIT_AS) resource, std::uint64_t value, std::uint64_t spare = 0) {
  rlimit limits{};
  getrlimit(resource, &limits);
  limits.rlim_cur = std::min<rlim_t>(limits.rlim_max, value);
  limits.rlim_max = std::min<rlim_t>(limits.rlim_max, value + spare);
  setrlimit(resource, &limits);
}

void bound_child(pid_t parent, std::uint64_t bytes, std::uint64_t address_space) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it died before it could be waited for
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, 2 + bytes / 10'000'000, 1);  // seconds; reading compressed weights takes 1 for 100 MB
  if (!kAddressSanitizer) limit(RLIMIT_AS, address_space + (std::uint64_t{1} << 30) + 4 * bytes);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGPIPE}) std::signal(signal, SIG_DFL);
  // Ctrl-C reaches both: whether the parent ends, and this child with it, is the parent's decision.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(signal, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // Whatever a dying library writes is about the child; the caller reports the file.
  const int nowhere = ::open("/dev/null", O_WRONLY);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
}

std::uint64_t address_space_bytes() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

// What the child says: one of these, the length of the text, the text. Nothing less counts: an exit status can be lost
// (SIGCHLD ignored, or a handler that waits for every child), and a dying child may have said half.
constexpr char kOk = '+', kError = '-';
constexpr std::size_t kHeadBytes = 1 + sizeof(std::uint64_t);

void say(int pipe, char verdict, std::string_view text) {
  const std::uint64_t length = text.size();
  std::string message(kHeadBytes, verdict);
  std::memcpy(message.data() + 1, &length, sizeof length);
  message += text;
  for (std::size_t done = 0; done < message.size();) {
    const ssize_t count = ::write(pipe, message.data() + done, message.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(1);
    done += static_cast<std::size_t>(count);
  }
}

[[noreturn]] void run_child(int pipe, const std::function<std::string()>& task) {
  try {
    say(pipe, kOk, task());
    _exit(0);
  } catch (const Error& error) {
    say(pipe, kError, error.what());
  } catch (...) {  // out of memory: the caller names the file
  }
  _exit(1);
}

struct Heard {
  std::string text;
  bool late = false;
  // The whole of what the child says has come.
  bool complete() const { return text.size() >= kHeadBytes && text.size() - kHeadBytes == length(); }
  bool too_long() const { return text.size() > kHeadBytes + kMaxAnswerBytes; }

 private:
  std::uint64_t length() const {
    std::uint64_t value = 0;
    std::memcpy(&value, text.data() + 1, sizeof value);
    return value;
  }
};

Heard listen(int pipe, Clock::time_point deadline) {
  Heard heard;
  std::array<char, 1 << 16> block{};
  while (!heard.complete() && !heard.too_long()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd ready{pipe, POLLIN, 0};
    const int count = left > 0 ? ::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30))) : 0;
    if (count < 0 && errno == EINTR && !StopSignal::raised()) continue;
    heard.late = count == 0;
    if (count <= 0) break;
    const ssize_t got = ::read(pipe, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    heard.text.append(block.data(), static_cast<std::size_t>(got));
  }
  return heard;
}

// Whether the child did not fail, as far as its exit status can be had.
bool ended_well(pid_t child) {
  int status = 0;
  pid_t ended = -1;
  do {
    ended = waitpid(child, &status, 0);
  } while (ended < 0 && errno == EINTR);
  return ended != child || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  explicit Pipe(const std::string& name) {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      fail("{}: no pipe for the process that checks the file: {}", name, system_message(errno));
    }
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

}  // namespace

std::string answer_of_child(const std::string& name, std::uint64_t bytes, const std::function<std::string()>& task,
                            std::optional<std::chrono::milliseconds> wall) {
  // A file of a slow disk or network comes in at a megabyte a second or more.
  const std::chrono::milliseconds limit = wall.value_or(std::chrono::seconds(30 + bytes / 1'000'000));
  Pipe pipe(name);
  const std::uint64_t address_space = address_space_bytes();
  const pid_t parent = getpid(), child = fork();
  if (child == 0) {
    pipe.close(0);
    bound_child(parent, bytes, address_space);
    run_child(pipe.ends[1], task);
  }
  if (child < 0) fail("{}: the process that checks the file cannot be started: {}", name, system_message(errno));
  pipe.close(1);
  const Heard heard = listen(pipe.ends[0], Clock::now() + limit);
  if (heard.late || heard.too_long() || StopSignal::raised()) kill(child, SIGKILL);
  const bool well = ended_well(child);
  stop_point();
  if (heard.late) {
    fail("{}: reading the file's structure was not done after {:g} s; it is damaged, or its disk is too slow: copy it",
         name, std::chrono::duration<double>(limit).count());
  }
  if (heard.complete() && !heard.too_long()) {
    if (heard.text[0] == kError) throw Error(heard.text.substr(kHeadBytes));
    if (heard.text[0] == kOk && well) return heard.text.substr(kHeadBytes);
  }
  fail("{}: expected Keras weights, found a damaged HDF5 file that the HDF5 library cannot digest; fetch it again",
       name);
}

void rehearse(const std::string& name, std::uint64_t bytes, const std::function<void()>& task,
              std::optional<std::chrono::milliseconds> wall) {
  answer_of_child(
      name, bytes,
      [&] {
        task();
        return std::string();
      },
      wall);
}

}  // namespace gpueval
