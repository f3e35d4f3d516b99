// SPDX-License-Identifier: Apache-2.0
#include "ptx/launch.h"

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>

namespace gpueval::ptx {
namespace {

BlockRunner& runner_of_this_thread() {
  static thread_local const auto runner = std::make_unique<BlockRunner>();
  return *runner;
}

}  // namespace

void run(Launch& launch) {
  const auto blocks = static_cast<std::int64_t>(launch.blocks[0]) * launch.blocks[1] * launch.blocks[2];
  std::atomic<bool> failed = false;
  std::exception_ptr error;
  std::mutex guard;
#pragma omp parallel for schedule(dynamic) if (blocks > 1)
  for (std::int64_t i = 0; i < blocks; ++i) {
    if (failed.load(std::memory_order_relaxed)) continue;
    try {
      runner_of_this_thread().run(launch, static_cast<std::uint64_t>(launch.descending ? blocks - 1 - i : i));
    } catch (...) {
      failed = true;
      const std::lock_guard lock(guard);
      if (error == nullptr) error = std::current_exception();
    }
  }
  if (error != nullptr) std::rethrow_exception(error);
}

}  // namespace gpueval::ptx
