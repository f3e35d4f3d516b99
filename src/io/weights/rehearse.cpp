// SPDX-License-Identifier: Apache-2.0
#include "io/weights/rehearse.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <fstream>
#include <string_view>

#include "gpueval/error.h"

namespace gpueval {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddressSanitizer = true;  // its shadow memory is reserved address space: no limit can be set
#elif defined(__has_feature)
constexpr bool kAddressSanitizer = __has_feature(address_sanitizer);
#else
constexpr bool kAddressSanitizer = false;
#endif

void limit(decltype(RLIMIT_AS) resource, std::uint64_t value) {
  rlimit limits{};
  getrlimit(resource, &limits);
  limits.rlim_cur = std::min<rlim_t>(limits.rlim_max, value);
  setrlimit(resource, &limits);
}

void bound_child(std::uint64_t bytes, std::uint64_t address_space) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, 2 + bytes / 10'000'000);  // seconds; reading compressed weights takes 1 for 100 MB
  if (!kAddressSanitizer) limit(RLIMIT_AS, address_space + (std::uint64_t{1} << 30) + 4 * bytes);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU}) std::signal(signal, SIG_DFL);
  // Whatever a dying library writes is about the child; the caller reports the file.
  const int nowhere = ::open("/dev/null", O_WRONLY);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
}

std::uint64_t address_space_bytes() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

[[noreturn]] void run_child(int answer, const std::function<void()>& task) {
  try {
    task();
    _exit(0);
  } catch (const Error& error) {
    const std::string_view message = error.what();
    if (::write(answer, message.data(), message.size()) > 0) _exit(1);
  } catch (const std::exception&) {  // out of memory: the caller names the file
  }
  _exit(1);
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> block{};
  ssize_t count = 0;
  while ((count = ::read(descriptor, block.data(), block.size())) > 0 || (count < 0 && errno == EINTR)) {
    if (count > 0) text.append(block.data(), static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace

void rehearse(const std::string& name, std::uint64_t bytes, const std::function<void()>& task) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) fail("{}: no pipe for the process that checks the file", name);
  const std::uint64_t address_space = address_space_bytes();
  const pid_t child = fork();
  if (child == 0) {
    close(pipe_ends[0]);
    bound_child(bytes, address_space);
    run_child(pipe_ends[1], task);
  }
  close(pipe_ends[1]);
  const std::string message = child > 0 ? read_all(pipe_ends[0]) : std::string();
  close(pipe_ends[0]);
  if (child < 0) fail("{}: the process that checks the file cannot be started", name);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!message.empty()) throw Error(message);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fail("{}: expected Keras weights, found a damaged HDF5 file that the HDF5 library cannot digest; fetch it again",
         name);
  }
}

}  // namespace gpueval
