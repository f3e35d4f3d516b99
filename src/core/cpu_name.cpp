// SPDX-License-Identifier: Apache-2.0
#include "core/cpu_name.h"

#include <fstream>

namespace gpueval {
namespace {

std::string read_cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

}  // namespace

const std::string& cpu_name() {
  static const std::string name = read_cpu_name();
  return name;
}

}  // namespace gpueval
