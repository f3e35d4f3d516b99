// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpueval/error.h"

namespace gpueval {

// README "Exit codes". 130: 128 + SIGINT, as shells say it.
enum class ExitCode {
  kOk = 0,
  kRuntime = 1,
  kUsage = 2,
  kAccuracyGate = 3,
  kInvalidMeasurement = 4,
  kNoDevice = 5,
  kInterrupted = 130
};

inline int exit_status(ExitCode code) { return static_cast<int>(code); }

inline ExitCode exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return ExitCode::kUsage;
    case ErrorKind::kDevice:
      return ExitCode::kNoDevice;
    case ErrorKind::kInterrupted:
      return ExitCode::kInterrupted;
    case ErrorKind::kFile:
    case ErrorKind::kData:
    case ErrorKind::kInternal:
      break;
  }
  return ExitCode::kRuntime;
}

}  // namespace gpueval
