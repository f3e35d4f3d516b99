// SPDX-License-Identifier: Apache-2.0
#include "io/data/decode_memory.h"

#include <condition_variable>
#include <mutex>

namespace gpueval::data {
namespace {

constexpr std::uint64_t kLargeFile = std::uint64_t{1} << 24;

struct Budget {
  std::mutex mutex;
  std::condition_variable given_back;
  std::uint64_t used = 0;
};
Budget& budget() {
  static Budget shared;
  return shared;
}

thread_local int scopes = 0;
thread_local std::uint64_t held = 0;  // by this thread, of budget().used

}  // namespace

DecodeMemory::DecodeMemory() { ++scopes; }

DecodeMemory::~DecodeMemory() {
  if (--scopes > 0 || held == 0) return;
  {
    const std::lock_guard lock(budget().mutex);
    budget().used -= held;
  }
  held = 0;
  budget().given_back.notify_all();
}

void DecodeMemory::reserve(std::uint64_t bytes) const {
  std::unique_lock lock(budget().mutex);
  if (held == 0) {
    budget().given_back.wait(lock, [&] { return budget().used == 0 || budget().used + bytes <= kBudget; });
  }
  budget().used += bytes;
  held += bytes;
}

void DecodeMemory::reserve_file(std::uint64_t bytes) const {
  if (bytes >= kLargeFile) reserve(kBudget);
}

}  // namespace gpueval::data
