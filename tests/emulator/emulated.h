// SPDX-License-Identifier: Apache-2.0
// Shared by the emulator's tests: kernels are lambdas that call emulator::device directly.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "emulator/device.h"
#include "emulator/emulator.h"
#include "gpueval/error.h"

namespace gpueval::emulator {

// Sets the options and puts the old ones back.
class WithOptions {
 public:
  explicit WithOptions(const Options& wanted) : old_(options()) { set_options(wanted); }
  ~WithOptions() { set_options(old_); }
  WithOptions(const WithOptions&) = delete;
  WithOptions& operator=(const WithOptions&) = delete;

 private:
  Options old_;
};

inline std::vector<Options> all_options() {
  std::vector<Options> all;
  for (const bool late : {true, false}) {
    all.push_back({.schedule = Schedule::kAscending, .late_copies = late});
    all.push_back({.schedule = Schedule::kDescending, .late_copies = late});
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      all.push_back({.schedule = Schedule::kRandom, .late_copies = late, .seed = seed});
    }
  }
  return all;
}

inline std::string describe(const Options& o) {
  static const char* const names[] = {"ascending", "descending", "random"};
  return std::string(names[static_cast<int>(o.schedule)]) + (o.late_copies ? ", late copies" : ", early copies") +
         ", seed " + std::to_string(o.seed);
}

// What the Error says that `action` throws; empty if it throws none.
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// One block of `threads` threads.
inline void run_block(unsigned threads, std::size_t shared_bytes, const std::function<void()>& body) {
  run("probe", {}, {threads, 1, 1}, shared_bytes, body);
}

inline unsigned thread_x() { return device::thread_index().x; }

template <typename T>
T& shared_at(std::uint32_t offset) {
  return *reinterpret_cast<T*>(device::shared(offset, sizeof(T), alignof(T)));
}
inline int& shared_int(unsigned index) { return shared_at<int>(4 * index); }

}  // namespace gpueval::emulator
