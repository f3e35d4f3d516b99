// SPDX-License-Identifier: Apache-2.0
// The control groups (cgroup v1 and v2) that limit this process's CPU time. Sources: Linux admin-guide/cgroup-v2.rst,
// scheduler/sched-bwc.rst, proc_pid_cgroup(5), proc_pid_mountinfo(5). `root` is where /proc and /sys lie.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gpueval {

// The folders of the process's group and of every group above it, as far as they can be seen.
std::vector<std::string> cpu_group_folders(const std::string& root = "/");

// The tightest quota of all these groups, in cores: 1.5 is 150 ms of CPU time every 100 ms. Absent: none.
std::optional<double> cpu_quota(const std::string& root = "/");

}  // namespace gpueval
