// SPDX-License-Identifier: Apache-2.0
#include "core/spin_limit.h"

#include <unistd.h>

#include <cstdlib>

namespace gpueval {

void limit_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "1000", 1);
  execv("/proc/self/exe", argv);  // returns only if it fails: then the default limit stays
}

}  // namespace gpueval
