// SPDX-License-Identifier: Apache-2.0
// The commands: a file and a line in kCommands (commands.cpp) each.
#pragma once

#include <CLI/CLI.hpp>
#include <span>

#include "cli/options.h"

namespace gpueval::cli {

struct Command {
  const char* name;                                 // "" for the measurement, which has none
  const char* help;                                 // one line
  void (*define)(CLI::App& app, Options& options);  // its options
  // Before anything is read or measured: contradictions are usage errors.
  void (*check)(const CLI::App& app, Options& options);
  int (*run)(const Options& options);  // the exit status; errors are thrown
  const char* examples;                // at the end of its --help
  bool runs_kernels = false;           // on the device: tested first where they are new
};
std::span<const Command> commands();

extern const Command kMeasure, kCalibrate, kTable, kSensitivity, kExport, kList, kInspect, kCompare, kJudge, kSelftest;

}  // namespace gpueval::cli
