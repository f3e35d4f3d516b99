// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <csignal>

#include "gpueval/error.h"

namespace gpueval {

// While it lives, the first SIGINT, SIGTERM, SIGHUP or SIGXCPU (the soft limit of CPU time) only sets a flag and ends
// system calls that wait, so that a run ends with what is there. A second one kills; those of the first 200 ms count as
// the same one, as timeout(1) and a closing terminal send theirs twice. An ignored SIGHUP (nohup) stays ignored.
// A closed pipe and a file beyond the limit of its size are errors of write() instead of signals that kill.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();  // puts everything back
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  static bool raised();

 private:
  static constexpr std::array<int, 6> kSignals{SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGPIPE, SIGXFSZ};
  std::array<struct sigaction, kSignals.size()> before_{};
};

// The user ended the run.
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted", ErrorKind::kInterrupted) {}
};

// Throws Interrupted once a signal was raised: for loops that may take more than a second. Not inside a parallel loop.
void stop_point();

}  // namespace gpueval
