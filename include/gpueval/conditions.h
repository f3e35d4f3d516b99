// SPDX-License-Identifier: Apache-2.0
// What else happened on the machine while something was timed: other programs, a hypervisor or a CPU quota that took
// time away, a core clock that changed. Sources: /proc/stat and /sys (Linux Documentation/filesystems/proc.rst,
// admin-guide/cgroup-v2.rst, thermal_throttle of sysfs-devices-system-cpu), getrusage(2), and a chain of dependent
// multiplications whose cycles are known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/gpu_clock.h"

namespace gpueval {

// Counters since boot, at one moment. What the system does not tell is absent.
struct SystemReading {
  double at = 0;         // seconds, steady clock
  double own_cpu_s = 0;  // CPU time of this process, all threads
  int cores = 1;         // logical, usable by this process; busy and stolen time count on these
  std::optional<double> busy_s, stolen_s;
  std::optional<std::int64_t> quota_throttles, thermal_throttles;  // times
  std::optional<double> core_ghz;                                  // of the core that this thread runs on
  std::string governor;                                            // "performance", ...; empty: not told
  std::optional<GpuReading> gpu;
  std::vector<int> cpus;  // numbers of the usable cores
};

// root: where /proc and /sys lie. Takes about 2 ms, most of it for the clock. gpu: of the GPU in use, if any.
SystemReading read_system(const std::string& root = "/", const GpuClock* gpu = nullptr);

// Between two readings.
struct Conditions {
  double seconds = 0;
  int cores = 1;
  std::optional<double> others_cores, stolen_cores;  // mean number of cores kept by others
  std::optional<std::int64_t> quota_throttles, thermal_throttles;
  std::optional<double> ghz_begin, ghz_end;
  std::string governor;
  std::optional<GpuReading> gpu;  // at the end

  std::vector<int> cpus;

  std::vector<std::string> warnings() const;  // clauses, without a full stop
  std::vector<std::string> noise() const;     // those of them that make a measurement NOISY: beyond kNoiseBounds
  // What the user can do when other programs keep cores: a sentence; threads: used. Empty: nothing to say.
  std::string advice(int threads) const;
};
Conditions conditions_between(const SystemReading& begin, const SystemReading& end);

}  // namespace gpueval
