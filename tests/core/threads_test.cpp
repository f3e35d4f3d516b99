// SPDX-License-Identifier: Apache-2.0
#include "core/threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/cpu_quota.h"

namespace gpueval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

// A made-up /proc and /sys.
class CpuQuota : public testing::Test {
 protected:
  CpuQuota() { fs::remove_all(root_); }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::optional<double> quota() const { return cpu_quota(root_.string()); }

  fs::path root_ = fs::path(testing::TempDir()) / ("cpu_quota_root_" + std::to_string(::getpid()));
};

TEST_F(CpuQuota, IsAbsentWhereNothingIsTold) { EXPECT_EQ(quota(), std::nullopt); }

TEST_F(CpuQuota, V2TakesTheTightestOfAllLevels) {
  write("proc/self/cgroup", "0::/system.slice/job.service/worker\n");
  write("sys/fs/cgroup/system.slice/job.service/worker/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("sys/fs/cgroup/system.slice/job.service/cpu.max", "400000 100000\n");
  EXPECT_EQ(quota(), 4);
  write("sys/fs/cgroup/system.slice/cpu.max", "75000 50000\n");
  EXPECT_EQ(quota(), 1.5);
  write("sys/fs/cgroup/system.slice/job.service/worker/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(CpuQuota, V2ContainerWithANamespaceOfItsOwn) {
  write("proc/self/cgroup", "0::/\n");
  write("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 0.5);
}

TEST_F(CpuQuota, V1TakesTheTightestOfAllLevels) {
  write("proc/self/cgroup", "9:memory:/elsewhere\n4:cpu,cpuacct:/slurm/job_7\n0::/x\n");
  write("sys/fs/cgroup/cpu,cpuacct/slurm/job_7/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/slurm/job_7/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/cpu,cpuacct/elsewhere/cpu.cfs_quota_us", "1000\n");
  write("sys/fs/cgroup/cpu,cpuacct/elsewhere/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_quota_us", "250000\n");
  write("sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 2.5);
}

// Docker on v1: the group's name is the host's, but the container's own group is what is mounted.
TEST_F(CpuQuota, V1ContainerSeesItsGroupAsTheTop) {
  write("proc/self/cgroup", "4:cpu,cpuacct:/docker/0123/inner\n");
  write("proc/self/mountinfo",
        "57 52 0:31 /docker/0123 /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:15 - cgroup cgroup rw,cpu,cpuacct\n"
        "58 52 0:32 /docker/0123 /sys/fs/cgroup/cpuset ro,nosuid - cgroup cgroup rw,cpuset\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 3);
  write("sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_quota_us", "120000\n");
  write("sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 1.2);
}

// A group of another namespace cannot be found below the mount; what is mounted still holds.
TEST_F(CpuQuota, GroupOutsideTheMount) {
  write("proc/self/cgroup", "0::/../other\n");
  write("proc/self/mountinfo", "30 23 0:26 / /mnt/groups rw - cgroup2 none rw\n");
  write("mnt/groups/cpu.max", "100000 100000\n");
  EXPECT_EQ(quota(), 1);
}

TEST(ThreadLimits, QuotaIsRoundedUp) {
  EXPECT_EQ((ThreadLimits{.cores = 8}).threads(0), 8);
  EXPECT_EQ((ThreadLimits{.cores = 8, .quota = 2.5}).threads(0), 3);
  EXPECT_EQ((ThreadLimits{.cores = 8, .quota = 2.0}).threads(0), 2);
  EXPECT_EQ((ThreadLimits{.cores = 8, .quota = 0.1}).threads(0), 1);
  EXPECT_EQ((ThreadLimits{.cores = 2, .quota = 16.0}).threads(0), 2);
  EXPECT_EQ((ThreadLimits{.cores = 8, .quota = 2.5}).threads(6), 6);
  EXPECT_EQ((ThreadLimits{.cores = 8, .openmp_limit = 4}).threads(6), 4);
}

TEST(ThreadLimits, NotesSayWhatDecides) {
  EXPECT_THAT((ThreadLimits{.cores = 8}).notes(0), IsEmpty());
  EXPECT_THAT((ThreadLimits{.cores = 8}).notes(8), IsEmpty());
  EXPECT_THAT((ThreadLimits{.cores = 8, .quota = 8.0}).notes(0), IsEmpty());
  EXPECT_THAT((ThreadLimits{.cores = 8, .quota = 2.0}).notes(0),
              ElementsAre("The CPU quota of this container or control group is 2 of 8 cores; 2 threads are used."));
  EXPECT_THAT((ThreadLimits{.cores = 8, .quota = 2.5}).notes(6), ElementsAre(HasSubstr("stops them for part of")));
  EXPECT_THAT((ThreadLimits{.cores = 2}).notes(4),
              ElementsAre("4 threads share 2 cores: --threads 2 would be quicker."));
  EXPECT_THAT((ThreadLimits{.cores = 2, .openmp_limit = 1}).notes(0),
              ElementsAre("OMP_THREAD_LIMIT=1 holds the program to 1 thread; without it 2 would be used."));
  EXPECT_THAT((ThreadLimits{.cores = 2, .openmp_limit = 2}).notes(0), IsEmpty());
  EXPECT_THAT((ThreadLimits{.cores = 1, .bound_by = "OMP_PLACES"}).notes(0),
              ElementsAre("OMP_PLACES binds the threads to 1 core."));
}

}  // namespace
}  // namespace gpueval
