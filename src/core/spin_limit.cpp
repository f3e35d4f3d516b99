// SPDX-License-Identifier: Apache-2.0
#include "core/spin_limit.h"

#include <sched.h>
#include <unistd.h>

#include <cstdlib>

#include "core/threads.h"

namespace gpueval {

void limit_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "1000", 1);
  const cpu_set_t usable = usable_cpus();  // libgomp may have bound this thread to one of them, for all that follows
  sched_setaffinity(0, sizeof(usable), &usable);
  execv("/proc/self/exe", argv);  // returns only if it fails: then the default limit stays
}

}  // namespace gpueval
