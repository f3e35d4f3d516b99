// SPDX-License-Identifier: Apache-2.0
// How a command ends: its result is written and printed, and what went wrong makes the exit code.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "gpueval/report.h"
#include "program/exit_code.h"

namespace gpueval::cli {

// A form of the result and where it goes: a file, "-" (stdout) or nowhere (empty).
struct ResultFile {
  std::string path;
  std::function<std::string()> form;
};
// `result` must outlive them.
template <typename Result>
std::vector<ResultFile> forms_of(const Options& o, const Result& result) {
  return {{o.json, [of = &result] { return to_json(*of); }}, {o.html, [of = &result] { return to_html(*of); }}};
}

struct Ending {
  std::vector<ResultFile> files;
  std::string text;                          // printed, unless a form is
  std::vector<std::string> notes, problems;  // sentences; with a problem the run has failed
  bool interrupted = false, valid = true;    // valid: no minimum was missed
  std::vector<const Report*> measured = {};  // their journals are of no use once all is well
};
// Writes all that can be written.
ExitCode finish(const Options& options, const Ending& ending);

inline constexpr const char* kResumeNote = "The same command with --resume continues instead of starting anew.";

}  // namespace gpueval::cli
