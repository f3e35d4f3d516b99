// SPDX-License-Identifier: Apache-2.0
// The one thread pool of the process: OpenMP's, shared with oneDNN, so that the two never compete for cores.
#pragma once

#include <sched.h>

#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/threads.h"

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

// The CPUs that this process may use. The calling thread's own mask does not tell where OMP_PROC_BIND, OMP_PLACES or
// GOMP_CPU_AFFINITY is set: libgomp binds the initial thread to one CPU before main(). Then it is all of its places.
cpu_set_t usable_cpus();

// What decides how many threads are used.
struct ThreadLimits {
  int cores = 1;                    // logical, usable by this process
  std::optional<double> quota;      // cores' worth of CPU time (core/cpu_quota.h)
  std::optional<int> openmp_limit;  // OMP_THREAD_LIMIT
  std::string bound_by;             // the variable whose OpenMP places leave CPUs out; empty: none

  int threads(int asked) const;                     // asked: --threads; 0: as many as the cores and the quota allow
  std::vector<std::string> notes(int asked) const;  // whole sentences for the reader of a result
};
std::vector<std::string> thread_notes();  // of this process

}  // namespace gpueval
