// SPDX-License-Identifier: Apache-2.0
// The one thread pool of the process: OpenMP's, shared with oneDNN, so that the two never compete for cores.
#pragma once

#include <cstdint>
#include <exception>
#include <mutex>

#include "gpueval/engine.h"

namespace gpueval {

// Calls fn(task) for task = 0 .. tasks - 1 on all threads() workers, in contiguous static shares (cheap, for equal
// tasks).
template <typename Fn>
void parallel_for(std::int64_t tasks, Fn&& fn) {
  const int workers = threads();
  if (workers <= 1 || tasks <= 1) {
    for (std::int64_t i = 0; i < tasks; ++i) fn(i);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(workers)
  for (std::int64_t i = 0; i < tasks; ++i) fn(i);
}

// Same for tasks of unequal cost that may throw (image decoding): shared out one by one; the first exception is
// rethrown.
template <typename Fn>
void parallel_for_dynamic(std::int64_t tasks, Fn&& fn) {
  std::exception_ptr first;
  std::mutex mutex;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads())
  for (std::int64_t i = 0; i < tasks; ++i) {
    try {
      fn(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace gpueval
