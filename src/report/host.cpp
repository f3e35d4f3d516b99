// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>

#include <fstream>
#include <string>

#include "cuda/library/baselines.h"
#include "cuda/runtime/runtime.h"
#include "gpueval/report.h"
#include "gpueval_revision.h"

namespace gpueval {
namespace {

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

std::string system_name() {
  utsname name{};
  return uname(&name) == 0 ? fmt::format("{} {} {}", name.sysname, name.release, name.machine) : "unknown";
}

std::string compiler_name() {
#ifdef __clang__
  return fmt::format("clang {}", __clang_version__);
#else
  return fmt::format("gcc {}", __VERSION__);
#endif
}

}  // namespace

ToolInfo tool_info() { return {GPUEVAL_VERSION, GPUEVAL_REVISION}; }

HostInfo host_info() {
  HostInfo host{cpu_name(), usable_cores(), threads(), system_name(), compiler_name()};
  if (const cuda::Runtime* runtime = cuda::gpu_runtime(nullptr)) {
    host.gpu = runtime->properties().name;
    host.driver = runtime->properties().driver;
    host.cuda = runtime->properties().cuda;
    host.gpu_bus_id = runtime->properties().pci_bus_id;
    for (const cuda::LibraryInfo& library : cuda::library_infos()) {
      if (library.name == "cuDNN") host.cudnn = library.version;
    }
  }
  return host;
}

}  // namespace gpueval
