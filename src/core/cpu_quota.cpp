// SPDX-License-Identifier: Apache-2.0
#include "core/cpu_quota.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace gpueval {
namespace {

// A hierarchy with a CPU controller: `group` of it is mounted at `point`.
struct Mount {
  bool unified = false;  // v2
  std::string group = "/", point;
};

bool has_element(const std::string& list, const std::string& wanted) {
  return ("," + list + ",").find("," + wanted + ",") != std::string::npos;
}

// Lines "36 35 0:30 /group /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw": two optional parts, told by the
// "-".
std::vector<Mount> mounts(const std::string& root) {
  std::vector<Mount> found;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::string skipped, type, source, options;
    Mount mount;
    std::istringstream(line) >> skipped >> skipped >> skipped >> mount.group >> mount.point;
    std::istringstream(line.substr(dash + 3)) >> type >> source >> options;
    mount.unified = type == "cgroup2";
    if (mount.unified || (type == "cgroup" && has_element(options, "cpu"))) found.push_back(mount);
  }
  if (!found.empty()) return found;
  return {
      {true, "/", "/sys/fs/cgroup"}, {false, "/", "/sys/fs/cgroup/cpu"}, {false, "/", "/sys/fs/cgroup/cpu,cpuacct"}};
}

// The process's group in the hierarchy, of lines "0::/group" (v2) and "4:cpu,cpuacct:/group" (v1); "/" if not told.
std::string own_group(const std::string& root, bool unified) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (unified ? controllers.empty() : has_element(controllers, "cpu")) return line.substr(second + 1);
  }
  return "/";
}

// Where the group lies below the mount point; "" for the mounted group itself and for one that is not below it (that of
// another namespace), of which then the mounted one is the nearest that can be seen.
std::string below_mount(const std::string& group, const std::string& mounted) {
  const std::string prefix = mounted == "/" ? "" : mounted;
  if (!group.starts_with(prefix + '/') || group == "/" || group.find("/..") != std::string::npos) return "";
  return group.substr(prefix.size());
}

// v2: "150000 100000" or "max 100000". v1: two files, -1 for none.
std::optional<double> quota_of(const std::string& folder) {
  double quota = 0, period = 0;
  if (std::ifstream(folder + "/cpu.max") >> quota >> period && period > 0) return quota / period;
  if (std::ifstream(folder + "/cpu.cfs_quota_us") >> quota && quota > 0 &&
      std::ifstream(folder + "/cpu.cfs_period_us") >> period && period > 0) {
    return quota / period;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> cpu_group_folders(const std::string& root) {
  std::vector<std::string> folders;
  for (const Mount& mount : mounts(root)) {
    std::string group = below_mount(own_group(root, mount.unified), mount.group);
    while (!group.empty()) {
      folders.push_back(root + mount.point + group);
      group.resize(group.rfind('/'));
    }
    folders.push_back(root + mount.point);
  }
  return folders;
}

std::optional<double> cpu_quota(const std::string& root) {
  std::optional<double> least;
  for (const std::string& folder : cpu_group_folders(root)) {
    if (const auto quota = quota_of(folder)) least = std::min(*quota, least.value_or(*quota));
  }
  return least;
}

}  // namespace gpueval
