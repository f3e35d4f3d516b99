// SPDX-License-Identifier: Apache-2.0
// The commands: a row of commands.inc and a file each.
#pragma once

#include <span>

#include "cli/options.h"
#include "program/exit_code.h"

namespace gpueval::cli {

enum CommandIndex : unsigned {
#define GPUEVAL_COMMAND(set, ...) set##Index,
#include "cli/commands.inc"
};
// Sets of commands.
enum CommandSet : unsigned {
#define GPUEVAL_COMMAND(set, ...) set = 1u << set##Index,
#include "cli/commands.inc"
  kInt8 = kMeasure | kCalibrate | kSensitivity | kExport,  // have --scheme and corrections
  kPlanned = kInt8 | kTable,                               // make a plan
  kTimed = kMeasure | kTable | kSensitivity,
};

#define GPUEVAL_COMMAND(set, name, run, ...) ExitCode run(const Options& options);  // errors are thrown
#include "cli/commands.inc"

enum class Uses { kFiles, kNetwork, kKernels };

struct Command {
  CommandSet set;
  const char* name;  // "" for the measurement, which has none
  ExitCode (*run)(const Options& options);
  Uses uses;
  const char *help, *examples;  // one line; at the end of its --help

  std::string call() const { return *name == 0 ? "gpu_eval" : std::string("gpu_eval ") + name; }
};
std::span<const Command> commands();

}  // namespace gpueval::cli
