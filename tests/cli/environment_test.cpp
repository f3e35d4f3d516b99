// SPDX-License-Identifier: Apache-2.0
// What the environment can do to the program: libraries in the current folder, OpenMP's variables.
#include <gmock/gmock.h>
#include <sched.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "program.h"

namespace gpueval::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

struct Variable {
  Variable(const char* variable, const std::string& value) : name(variable) { setenv(name, value.c_str(), 1); }
  ~Variable() { unsetenv(name); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  const char* name;
};

class Environment : public ProgramTest {
 protected:
  Environment() {
    sched_getaffinity(0, sizeof(all_), &all_);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &all_)) cpus_.push_back(cpu);
    }
  }
  nlohmann::json host(const std::vector<std::string>& more = {}) {
    std::vector<std::string> args{"--model",   "demo",       "--mode", "speed",        "--precision",
                                  "int8",      "--duration", "0",      "--iterations", "1",
                                  "--warm-up", "0",          "--json", "r.json"};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    out_ = outcome.out;
    return read_json("r.json")["host"];
  }
  int cores() const { return static_cast<int>(cpus_.size()); }

  cpu_set_t all_;
  std::vector<int> cpus_;
  std::string out_;
};

// Files that are no libraries stop a loader that finds them: "file too short".
TEST_F(Environment, NoLibraryComesFromTheCurrentFolder) {
  for (const char* name :
       {"libdnnl.so.2", "libhdf5_serial.so.103", "libzip.so.4", "libturbojpeg.so.0", "libpng16.so.16",
        "libpugixml.so.1", "libgomp.so.1", "libc.so.6", "libfmt.so.9", "libcuda.so.1", "libcudnn.so.9",
        "libcublasLt.so.13", "libcublasLt.so.12", "libnvidia-ml.so.1", "libtbb.so.12", "libstdc++.so.6"}) {
    write(name, "");
  }
  const Variable folders("GPUEVAL_CUDA_LIBRARIES", ":.:");
  EXPECT_EQ(run({"--version"}).code, 0);
  const Outcome devices = run({"list", "devices"});
  EXPECT_EQ(devices.code, 0);
  EXPECT_EQ(devices.err, "");
  EXPECT_EQ(devices.out.find("file too short"), std::string::npos) << devices.out;
}

TEST_F(Environment, OpenMpBindingLeavesAllCores) {
  const std::string first = std::to_string(cpus_.front()), last = std::to_string(cpus_.back());
  for (const auto& [name, value] : {std::pair<const char*, std::string>{"OMP_PROC_BIND", "true"},
                                    {"OMP_PROC_BIND", "spread"},
                                    {"OMP_PROC_BIND", "close"},
                                    {"OMP_PLACES", "threads"},
                                    {"OMP_PLACES", "cores"},
                                    {"GOMP_CPU_AFFINITY", first + "-" + last}}) {
    const Variable variable(name, value);
    for (const char* policy : {"", "passive"}) {  // with a policy the program does not start itself again
      if (*policy != '\0') setenv("OMP_WAIT_POLICY", policy, 1);
      const nlohmann::json found = host();
      unsetenv("OMP_WAIT_POLICY");
      EXPECT_EQ(found["cores"], cores()) << name << "=" << value << " " << policy;
      EXPECT_EQ(found["threads"], cores()) << name << "=" << value << " " << policy;
    }
  }
}

// Where the threads may run is asked of the system, while they work.
TEST_F(Environment, BoundThreadsAreSpreadOverTheCores) {
  if (cores() < 2) GTEST_SKIP() << "one core";
  const Variable variable("OMP_PROC_BIND", "true");
  const pid_t process = start({"--model", "demo", "--mode", "speed", "--duration", "30", "--iterations", "1"});
  std::set<std::string> masks;
  for (int i = 0; i < 400 && masks.size() < 2; ++i) {
    masks.clear();
    std::error_code ignored;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", ignored)) {
      std::ifstream status(task.path() / "status");
      for (std::string line; std::getline(status, line);) {
        if (line.starts_with("Cpus_allowed_list:")) masks.insert(line);
      }
    }
    usleep(20'000);
  }
  kill(process, SIGTERM);
  wait(process);
  EXPECT_GE(masks.size(), 2u);
}

TEST_F(Environment, PlacesThatTheUserNamedHold) {
  if (cores() < 2) GTEST_SKIP() << "one core";
  const Variable variable("OMP_PLACES", "{" + std::to_string(cpus_[1]) + "}");
  const nlohmann::json found = host();
  EXPECT_EQ(found["cores"], 1);
  EXPECT_EQ(found["threads"], 1);
  EXPECT_THAT(found["notes"], Contains("OMP_PLACES binds the threads to 1 core."));
  EXPECT_THAT(out_, HasSubstr("OMP_PLACES binds the threads to 1 core."));
}

TEST_F(Environment, MoreThreadsThanCoresAndFewerThanAskedForAreSaid) {
  const std::string many = std::to_string(cores() + 1);
  EXPECT_THAT(host({"--threads", many})["notes"], Contains(HasSubstr(many + " threads share ")));
  EXPECT_THAT(out_, HasSubstr(many + " threads share "));
  const Variable limit("OMP_THREAD_LIMIT", "1");
  const nlohmann::json found = host({"--threads", "2"});
  EXPECT_EQ(found["threads"], 1);
  EXPECT_THAT(found["notes"],
              Contains("OMP_THREAD_LIMIT=1 holds the program to 1 thread; without it 2 would be used."));
}

}  // namespace
}  // namespace gpueval::test
