// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace gpueval {

// A program run as a child of this process, whose standard output is read line by line. What it says on standard error
// is lost; it does not outlive its parent.
class ChildProcess {
 public:
  // command: the program's path, then its arguments. Error with the system's reason where no process can be had.
  explicit ChildProcess(const std::vector<std::string>& command);
  ~ChildProcess();  // kills it
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  enum class Read { kLine, kEnd, kLate };
  // The next whole line, without its end. kLate: none came within `limit`; kEnd: there are no more. Throws Interrupted
  // once a signal was raised (core/stop_signal.h).
  Read read_line(std::string* line, std::chrono::milliseconds limit);

  // Kills it if it still runs, and says how it ended: "exit code 1", "signal 11 (Segmentation fault)".
  std::string end();

 private:
  pid_t process_ = -1;
  int output_ = -1;
  std::string pending_;
};

}  // namespace gpueval
