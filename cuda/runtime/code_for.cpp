// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime/code_for.h"

#include <algorithm>
#include <charconv>

namespace gpueval::cuda {

int code_for(std::string_view architectures, int sm) {
  int machine_code = 0, ptx = 0;
  while (!architectures.empty()) {
    const std::string_view one = architectures.substr(0, architectures.find_first_of(",;"));
    architectures.remove_prefix(std::min(one.size() + 1, architectures.size()));
    if (one == "native" || one == "all") return sm;
    if (one == "all-major") return sm / 10 * 10;
    int version = 0;
    std::from_chars(one.data(), one.data() + one.size(), version);
    if (version > sm) continue;
    if (version / 10 == sm / 10 && !one.ends_with("-virtual")) machine_code = std::max(machine_code, version);
    if (!one.ends_with("-real")) ptx = std::max(ptx, version);
  }
  return machine_code != 0 ? machine_code : ptx;
}

}  // namespace gpueval::cuda
