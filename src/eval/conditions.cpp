// SPDX-License-Identifier: Apache-2.0
#include "gpueval/conditions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <utility>

#include "core/clock.h"
#include "core/cpu_quota.h"
#include "core/threads.h"
#include "gpueval/verdict.h"

namespace gpueval {
namespace {

constexpr double kLeastSeconds = 0.2;  // /proc/stat counts in hundredths of a second

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Lines "cpuN user nice system idle iowait irq softirq steal ..." of the usable CPUs, in clock ticks.
void read_cpu_times(const std::string& root, const cpu_set_t& usable, SystemReading& reading) {
  std::ifstream file(root + "/proc/stat");
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  double busy = 0, stolen = 0;
  int found = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name;
    double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
    if (!(fields >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal)) continue;
    if (!name.starts_with("cpu") || name.find_first_not_of("0123456789", 3) != std::string::npos || name.size() == 3)
      continue;
    if (const unsigned long index = std::stoul(name.substr(3)); index >= CPU_SETSIZE || !CPU_ISSET(index, &usable))
      continue;
    busy += user + nice + system + irq + softirq;
    stolen += steal;
    ++found;
  }
  if (found == 0) return;
  reading.busy_s = busy * tick;
  reading.stolen_s = stolen * tick;
}

std::string first_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// Of the process's control group and of all above it: any of them stops the process.
std::optional<std::int64_t> quota_throttles(const std::string& root) {
  std::optional<std::int64_t> sum;
  for (const std::string& folder : cpu_group_folders(root)) {
    std::ifstream file(folder + "/cpu.stat");
    std::string name;
    for (std::int64_t value = 0; file >> name >> value;) {
      if (name == "nr_throttled") sum = sum.value_or(0) + value;
    }
  }
  return sum;
}

std::optional<std::int64_t> thermal_throttles(const std::string& root, const cpu_set_t& usable) {
  std::optional<std::int64_t> sum;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &usable)) continue;
    std::ifstream file(fmt::format("{}/sys/devices/system/cpu/cpu{}/thermal_throttle/core_throttle_count", root, cpu));
    if (std::int64_t value = 0; file >> value) sum = sum.value_or(0) + value;
  }
  return sum;
}

// A dependent 64-bit multiplication takes 3 cycles on every x86-64 core since 2008 (Intel) and 2017 (AMD).
std::optional<double> core_ghz() {
#if defined(__x86_64__)
  constexpr int kRounds = 12'000, kChain = 10, kCycles = 3, kRepeats = 6;
  double best = 0;
  std::uint64_t x = 3;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const double begin = steady_seconds();
    for (int i = 0; i < kRounds; ++i) {
      asm volatile(
          "imul %0, %0\n imul %0, %0\n imul %0, %0\n imul %0, %0\n imul %0, %0\n"
          "imul %0, %0\n imul %0, %0\n imul %0, %0\n imul %0, %0\n imul %0, %0\n"
          : "+r"(x));
    }
    best = std::max(best, kRounds * kChain * kCycles / (steady_seconds() - begin));
  }
  return best * 1e-9;
#else
  return std::nullopt;
#endif
}

template <class T>
std::optional<T> difference(const std::optional<T>& begin, const std::optional<T>& end) {
  if (!begin || !end) return std::nullopt;
  return std::max(T{0}, *end - *begin);
}

}  // namespace

SystemReading read_system(const std::string& root, const GpuClock* gpu) {
  SystemReading reading;
  if (gpu != nullptr) reading.gpu = gpu->read();  // first: its clock falls when it has nothing to do
  reading.core_ghz = core_ghz();
  const cpu_set_t usable = usable_cpus();
  reading.cores = std::max(1, CPU_COUNT(&usable));
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &usable)) reading.cpus.push_back(cpu);
  }
  read_cpu_times(root, usable, reading);
  reading.quota_throttles = quota_throttles(root);
  reading.thermal_throttles = thermal_throttles(root, usable);
  reading.governor = first_word(root + "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  reading.own_cpu_s = cpu_seconds();
  reading.at = steady_seconds();
  return reading;
}

Conditions conditions_between(const SystemReading& begin, const SystemReading& end) {
  Conditions result;
  result.seconds = end.at - begin.at;
  result.cores = end.cores;
  result.cpus = end.cpus;
  result.quota_throttles = difference(begin.quota_throttles, end.quota_throttles);
  result.thermal_throttles = difference(begin.thermal_throttles, end.thermal_throttles);
  result.ghz_begin = begin.core_ghz;
  result.ghz_end = end.core_ghz;
  result.governor = end.governor;
  result.gpu = end.gpu;
  if (result.seconds < kLeastSeconds) return result;
  if (const auto busy = difference(begin.busy_s, end.busy_s)) {
    result.others_cores = std::max(0.0, *busy - (end.own_cpu_s - begin.own_cpu_s)) / result.seconds;
  }
  if (const auto stolen = difference(begin.stolen_s, end.stolen_s)) result.stolen_cores = *stolen / result.seconds;
  return result;
}

std::vector<std::string> Conditions::noise() const {
  std::vector<std::string> list;
  if (others_cores && *others_cores > kNoiseBounds.others_share * cores) {
    list.push_back(fmt::format("other programs kept {:.1f} of the {} cores busy meanwhile; the times are too long",
                               *others_cores, cores));
  }
  if (stolen_cores && *stolen_cores > kNoiseBounds.stolen_share * cores) {
    list.push_back(fmt::format("the virtual machine's host took {:.0f}% of the CPU time away (steal)",
                               100 * *stolen_cores / cores));
  }
  if (quota_throttles.value_or(0) > kNoiseBounds.throttles) {
    list.push_back(fmt::format("the container's CPU quota stopped this program {} times", *quota_throttles));
  }
  if (thermal_throttles.value_or(0) > kNoiseBounds.throttles) {
    list.push_back(fmt::format("the CPU was slowed down {} times because of its temperature", *thermal_throttles));
  }
  if (ghz_begin && ghz_end && std::abs(*ghz_end / *ghz_begin - 1) > kNoiseBounds.clock_change) {
    std::string text = fmt::format("the core clock went from {:.2f} to {:.2f} GHz meanwhile", *ghz_begin, *ghz_end);
    if (!governor.empty()) text += fmt::format(" (frequency governor \"{}\")", governor);
    list.push_back(text);
  }
  if (gpu) {
    for (std::string& clause : gpu->noise()) list.push_back(std::move(clause));
  }
  return list;
}

std::vector<std::string> Conditions::warnings() const {
  std::vector<std::string> list = noise();
  if (gpu) {
    for (std::string& clause : gpu->limits()) list.push_back(std::move(clause));
  }
  return list;
}

std::string Conditions::advice(int threads) const {
  if (!others_cores || *others_cores <= kNoiseBounds.others_share * cores) return "";
  const int kept = static_cast<int>(std::ceil(*others_cores - kNoiseBounds.others_share));
  const int left = std::clamp(cores - kept, 1, std::max(1, threads));
  std::string text = "What helps: stopping the other programs";
  if (cores > 1 && left < cores && std::ssize(cpus) >= left) {
    // The last ones: the first core has most of the system's own work.
    const std::vector<int> last(cpus.end() - left, cpus.end());
    text += fmt::format("; or cores of its own: `taskset -c {}` and --threads {}, the other programs on the rest",
                        fmt::join(last, ","), left);
  }
  return text + '.';
}

}  // namespace gpueval
