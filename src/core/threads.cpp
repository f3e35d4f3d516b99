// SPDX-License-Identifier: Apache-2.0
#include "core/threads.h"

#include <fmt/format.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cmath>
#include <cstdlib>

#include "core/cpu_quota.h"

namespace gpueval {
namespace {

std::atomic<int> chosen{0};

// As it is at the first call.
const ThreadLimits& start_limits() {
  static const ThreadLimits limits = [] {
    const cpu_set_t usable = usable_cpus();
    ThreadLimits found{.cores = std::max(1, CPU_COUNT(&usable)), .quota = cpu_quota()};
    if (const int limit = omp_get_thread_limit(); limit < INT_MAX) found.openmp_limit = limit;
    if (omp_get_num_places() == 0 || found.cores >= sysconf(_SC_NPROCESSORS_ONLN)) return found;
    for (const char* name : {"GOMP_CPU_AFFINITY", "OMP_PLACES", "OMP_PROC_BIND"}) {
      if (std::getenv(name) != nullptr) found.bound_by = name;
    }
    return found;
  }();
  return limits;
}

int rounded_up(double cores) { return std::max(1, static_cast<int>(std::ceil(cores - 1e-9))); }

}  // namespace

cpu_set_t usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int place = 0; place < omp_get_num_places(); ++place) {
    std::vector<int> ids(static_cast<std::size_t>(omp_get_place_num_procs(place)));
    omp_get_place_proc_ids(place, ids.data());
    for (const int id : ids) {
      if (id >= 0 && id < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(id), &set);
    }
  }
  if (CPU_COUNT(&set) == 0) sched_getaffinity(0, sizeof(set), &set);
  return set;
}

int ThreadLimits::threads(int asked) const {
  const int free = quota ? std::min(cores, rounded_up(*quota)) : cores;
  return std::max(1, std::min(asked > 0 ? asked : free, openmp_limit.value_or(INT_MAX)));
}

std::vector<std::string> ThreadLimits::notes(int asked) const {
  std::vector<std::string> list;
  const int used = threads(asked);
  const auto count = [](int n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); };
  if (!bound_by.empty()) list.push_back(fmt::format("{} binds the threads to {}.", bound_by, count(cores, "core")));
  if (quota && *quota < cores) {
    list.push_back(fmt::format("The CPU quota of this container or control group is {:.3g} of {}; {} {} used{}.",
                               *quota, count(cores, "core"), count(used, "thread"), used == 1 ? "is" : "are",
                               *quota < used ? ", and the system stops them for part of the time" : ""));
  }
  if (used > cores) {
    list.push_back(
        fmt::format("{} share {}: --threads {} would be quicker.", count(used, "thread"), count(cores, "core"), cores));
  }
  if (openmp_limit && threads(asked) < ThreadLimits{cores, quota}.threads(asked)) {
    list.push_back(fmt::format("OMP_THREAD_LIMIT={} holds the program to {}; without it {} would be used.",
                               *openmp_limit, count(used, "thread"), ThreadLimits{cores, quota}.threads(asked)));
  }
  return list;
}

void set_threads(int count) {
  chosen = std::max(count, 0);
  omp_set_num_threads(threads());  // for oneDNN
  omp_set_dynamic(0);              // OMP_DYNAMIC would take threads away when the machine is busy
  if (omp_get_max_active_levels() < 1) omp_set_max_active_levels(1);
}

int threads() {
  if (omp_in_parallel()) return 1;
  return start_limits().threads(chosen);
}

std::vector<std::string> thread_notes() { return start_limits().notes(chosen); }

}  // namespace gpueval
