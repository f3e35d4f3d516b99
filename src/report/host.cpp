// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <string>

#include "core/cpu_name.h"
#include "core/cpu_quota.h"
#include "core/threads.h"
#include "gpueval/engine.h"
#include "gpueval/report.h"
#include "gpueval_revision.h"

namespace gpueval {
namespace {

int usable_cores() {
  const cpu_set_t set = usable_cpus();
  return std::max(1, CPU_COUNT(&set));
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

HostInfo host_info(const std::string& device) {
  HostInfo host{cpu_name(), usable_cores(), threads(), system_name(), compiler_name()};
  host.cpu_quota = cpu_quota();
  host.notes = thread_notes();
  for (const DeviceInfo& info : devices()) {
    const DeviceFacts& facts = info.facts;
    if (facts.bus_id.empty() || (!host.gpu.empty() && info.name != device)) continue;
    host.gpu = facts.hardware;
    host.driver = facts.driver;
    host.cuda = facts.cuda;
    host.cudnn = facts.cudnn;
    host.gpu_bus_id = facts.bus_id;
  }
  return host;
}

}  // namespace gpueval
