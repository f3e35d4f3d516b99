// SPDX-License-Identifier: Apache-2.0
#include "core/threads.h"

#include <omp.h>

#include <algorithm>
#include <atomic>

namespace gpueval {
namespace {

std::atomic<int> chosen{0};

int all_cores() {
  static const int count = omp_get_num_procs();  // obeys the process's affinity mask
  return count;
}

}  // namespace

void set_threads(int count) {
  chosen = std::max(count, 0);
  omp_set_num_threads(threads());  // for oneDNN
}

int threads() {
  if (omp_in_parallel()) return 1;
  return chosen > 0 ? chosen.load() : all_cores();
}

}  // namespace gpueval
