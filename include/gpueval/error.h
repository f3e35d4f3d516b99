// SPDX-License-Identifier: Apache-2.0
// Errors. The library throws gpueval::Error and never prints or exits; only src/program/ and src/cli/ do.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace gpueval {

enum class ErrorKind {
  kUsage,        // what was asked for contradicts itself, or is not there
  kFile,         // cannot be opened, read or written
  kData,         // a file's content or a computed value is not what is needed
  kDevice,       // no such device, or it is not usable
  kInterrupted,  // by the user
  kInternal,     // a check of our own failed
};

// One sentence for the user: which file, what was expected, what was found, what to do.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ErrorKind kind = ErrorKind::kData)
      : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// Throws Error: kData, kFile, kUsage.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
[[noreturn]] void fail_file(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...), ErrorKind::kFile);
}
template <typename... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...), ErrorKind::kUsage);
}

}  // namespace gpueval

// Internal invariant: throws Error (kInternal) with the expression, the formatted values and file:line.
#define GPUEVAL_CHECK(cond, ...)                                                                                 \
  do {                                                                                                           \
    if (!(cond)) {                                                                                               \
      throw ::gpueval::Error(::fmt::format("internal check '{}' failed at {}:{}: {}", #cond, __FILE__, __LINE__, \
                                           ::fmt::format(__VA_ARGS__)),                                          \
                             ::gpueval::ErrorKind::kInternal);                                                   \
    }                                                                                                            \
  } while (false)
