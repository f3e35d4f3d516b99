// SPDX-License-Identifier: Apache-2.0
// Errors. The library throws gpueval::Error and never prints or exits; only src/cli/ does.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace gpueval {

// Exit codes of the command line (docs: README "Exit codes").
enum class ExitCode { kOk = 0, kRuntime = 1, kUsage = 2, kAccuracyGate = 3, kInvalidMeasurement = 4, kNoDevice = 5 };

// One sentence for the user: which file, what was expected, what was found, what to do.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ExitCode code = ExitCode::kRuntime)
      : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// Throws Error with a run-time (exit code 1) or usage (exit code 2) meaning.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...), ExitCode::kUsage);
}

}  // namespace gpueval

// Internal invariant: throws Error with the expression, the formatted values and file:line.
#define GPUEVAL_CHECK(cond, ...)                                                                                 \
  do {                                                                                                           \
    if (!(cond)) {                                                                                               \
      throw ::gpueval::Error(::fmt::format("internal check '{}' failed at {}:{}: {}", #cond, __FILE__, __LINE__, \
                                           ::fmt::format(__VA_ARGS__)));                                         \
    }                                                                                                            \
  } while (false)
