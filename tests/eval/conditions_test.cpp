// SPDX-License-Identifier: Apache-2.0
#include "gpueval/conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/clock.h"

namespace gpueval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SystemReading quiet(double at) {
  return {.at = at,
          .own_cpu_s = 2 * at,
          .cores = 2,
          .busy_s = 2 * at + 0.05 * at,
          .stolen_s = 0.0,
          .quota_throttles = 0,
          .thermal_throttles = 7,
          .core_ghz = 3.0,
          .governor = "powersave"};
}

TEST(Conditions, QuietMachineGivesNoWarning) {
  const Conditions conditions = conditions_between(quiet(10), quiet(13));
  EXPECT_NEAR(conditions.others_cores.value(), 0.05, 1e-9);
  EXPECT_EQ(conditions.thermal_throttles, 0);
  EXPECT_THAT(conditions.warnings(), IsEmpty());
}

TEST(Conditions, NamesEachDisturbance) {
  SystemReading end = quiet(13);
  *end.busy_s += 3.45;
  EXPECT_THAT(conditions_between(quiet(10), end).warnings(), ElementsAre(HasSubstr("kept 1.2 of the 2 cores busy")));
  end = quiet(13);
  *end.stolen_s += 0.6;
  EXPECT_THAT(conditions_between(quiet(10), end).warnings(), ElementsAre(HasSubstr("took 10% of the CPU time")));
  end = quiet(13);
  end.quota_throttles = 4;
  EXPECT_THAT(conditions_between(quiet(10), end).warnings(),
              ElementsAre(HasSubstr("quota stopped this program 4 times")));
  end = quiet(13);
  end.thermal_throttles = 9;
  EXPECT_THAT(conditions_between(quiet(10), end).warnings(), ElementsAre(HasSubstr("slowed down 2 times")));
  end = quiet(13);
  end.core_ghz = 2.5;
  EXPECT_THAT(conditions_between(quiet(10), end).warnings(),
              ElementsAre("the core clock went from 3.00 to 2.50 GHz meanwhile (frequency governor \"powersave\")"));
}

TEST(Conditions, EveryDisturbanceButAPowerLimitIsNoise) {
  EXPECT_THAT(conditions_between(quiet(10), quiet(13)).noise(), IsEmpty());
  SystemReading end = quiet(13);
  *end.busy_s += 3.45;
  *end.stolen_s += 0.6;
  end.quota_throttles = end.thermal_throttles = 40;
  end.core_ghz = 2.5;
  end.gpu = GpuReading{.slowdowns = 0x4 | 0x20};
  const Conditions conditions = conditions_between(quiet(10), end);
  EXPECT_EQ(conditions.noise().size(), 6u);
  EXPECT_EQ(conditions.warnings().size(), 7u);
  EXPECT_THAT(conditions.warnings().back(), HasSubstr("its power limit"));
}

TEST(Conditions, SaysWhatHelpsAgainstOtherPrograms) {
  const auto advice = [](double others, int cores, int threads) {
    Conditions conditions{.cores = cores, .others_cores = others};
    for (int cpu = 0; cpu < cores; ++cpu) conditions.cpus.push_back(cpu);
    return conditions.advice(threads);
  };
  EXPECT_EQ(advice(0.05, 8, 8), "");
  EXPECT_THAT(advice(1.5, 8, 8), HasSubstr("`taskset -c 2,3,4,5,6,7` and --threads 6,"));
  EXPECT_THAT(advice(1.03, 2, 2), HasSubstr("`taskset -c 1` and --threads 1,"));
  EXPECT_THAT(advice(7.9, 8, 8), HasSubstr("`taskset -c 7` and --threads 1,"));
  EXPECT_THAT(advice(1.5, 8, 2), HasSubstr("`taskset -c 6,7` and --threads 2,"));
  EXPECT_EQ(advice(0.5, 1, 1), "What helps: stopping the other programs.");
}

// A quota of a group above stops the process as well.
TEST(Conditions, CountsTheStopsOfAllControlGroups) {
  const std::filesystem::path root = std::filesystem::path(testing::TempDir()) / "conditions_groups";
  std::filesystem::remove_all(root);
  const auto write = [&](const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  };
  write("proc/self/cgroup", "3:cpu:/jobs/seven\n0::/jobs/seven\n");
  write("sys/fs/cgroup/jobs/cpu.stat", "nr_periods 40\nnr_throttled 3\n");
  write("sys/fs/cgroup/jobs/seven/cpu.stat", "nr_periods 40\nnr_throttled 4\n");
  EXPECT_EQ(read_system(root.string()).quota_throttles, 7);
  write("sys/fs/cgroup/cpu/jobs/seven/cpu.stat", "nr_periods 40\nnr_throttled 50\n");
  EXPECT_EQ(read_system(root.string()).quota_throttles, 57);
}

TEST(Conditions, WhatTheSystemDoesNotTellIsAbsent) {
  const SystemReading reading = read_system("/nowhere");
  EXPECT_FALSE(reading.busy_s || reading.stolen_s || reading.quota_throttles || reading.thermal_throttles);
  EXPECT_EQ(reading.governor, "");
  const Conditions conditions = conditions_between(reading, read_system("/nowhere"));
  EXPECT_FALSE(conditions.others_cores || conditions.stolen_cores || conditions.quota_throttles);
}

TEST(Conditions, ReadsTheCountersOfUsableCores) {
  const std::filesystem::path root = std::filesystem::path(testing::TempDir()) / "conditions_root";
  const auto write = [&](const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  };
  cpu_set_t all, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  int first = 0;
  while (!CPU_ISSET(first, &all)) ++first;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  const std::string cpu = std::to_string(first);
  const long tick = sysconf(_SC_CLK_TCK);
  const std::string t = std::to_string(tick);
  write("proc/stat", "cpu  9 9 9 9 9 9 9 9 0 0\ncpu" + cpu + " " + t + " " + t + " " + t + " 50 60 " + t + " " + t +
                         " " + std::to_string(2 * tick) + " 0 0\ncpu99999 " + t + " 0 0 0 0 0 0 0 0 0\nintr 17 0 0\n");
  write("sys/fs/cgroup/cpu.stat", "usage_usec 5\nnr_periods 40\nnr_throttled 3\n");
  write("sys/devices/system/cpu/cpu" + cpu + "/thermal_throttle/core_throttle_count", "11\n");
  write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "schedutil\n");

  SystemReading reading;
  std::thread([&] {  // the affinity of this thread alone
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    reading = read_system(root.string());
  })
      .join();
  EXPECT_EQ(reading.cores, 1);
  EXPECT_DOUBLE_EQ(reading.busy_s.value(), 5);
  EXPECT_DOUBLE_EQ(reading.stolen_s.value(), 2);
  EXPECT_EQ(reading.quota_throttles, 3);
  EXPECT_EQ(reading.thermal_throttles, 11);
  EXPECT_EQ(reading.governor, "schedutil");
}

// The counters of a running system: this process' own work is not taken for that of others.
TEST(Conditions, OwnWorkIsNotOthers) {
  const SystemReading begin = read_system();
  if (!begin.busy_s) GTEST_SKIP() << "/proc/stat tells no CPU times";
  while (steady_seconds() < begin.at + 0.5) {
  }
  const SystemReading end = read_system();
  EXPECT_GT(end.own_cpu_s, begin.own_cpu_s);
  EXPECT_GE(*end.busy_s, *begin.busy_s);
  const double busy = *end.busy_s - *begin.busy_s, own = end.own_cpu_s - begin.own_cpu_s;
  const Conditions conditions = conditions_between(begin, end);
  EXPECT_DOUBLE_EQ(conditions.others_cores.value(), std::max(0.0, busy - own) / (end.at - begin.at));
#if defined(__x86_64__)
  EXPECT_GT(conditions.ghz_begin.value(), 0.2);
  EXPECT_LT(conditions.ghz_begin.value(), 10);
#endif
}

}  // namespace
}  // namespace gpueval
