// SPDX-License-Identifier: Apache-2.0
// The files that a command writes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/options.h"

namespace gpueval::cli {

// Before anything is read or measured. Usage errors: two outputs in one place, an output over a file that is read, a
// name that says another format. Error with the system's reason: a place that cannot be written. --json, --html and
// --markdown may be "-", standard output; /dev/stdout becomes that. Refuses --resume without a place for its journal.
void settle_outputs(Options& options);

// One of them is "-": then stdout holds that alone, and the table is left out.
bool prints_form(const Options& options);

// A form of the result and where it goes: a file, "-" (stdout) or nowhere (empty).
struct ResultFile {
  std::string path;
  std::function<std::string()> text;
};
inline constexpr const char* kResumeNote = "The same command with --resume continues instead of starting anew.";

// Prints the problems. What they, an interruption or a missed minimum make of the run; kOk: its verdict stands.
ExitCode outcome(const std::vector<std::string>& problems, bool interrupted, bool valid);
// Writes all that can be written; what could not, as sentences.
std::vector<std::string> write_results(const std::vector<ResultFile>& files);

}  // namespace gpueval::cli
