// SPDX-License-Identifier: Apache-2.0
#include "cli/ending.h"

#include "cli/outputs.h"
#include "core/output_file.h"
#include "core/output_places.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "program/terminal.h"

namespace gpueval::cli {
namespace {

// What could not be written, as sentences.
std::vector<std::string> write_files(const std::vector<ResultFile>& files) {
  std::vector<std::string> problems;
  for (const ResultFile& file : files) {
    if (file.path.empty()) continue;
    try {
      if (file.path == kToStdout) {
        print_lines(file.form());
      } else {
        write_file(file.path, file.form());
      }
    } catch (const Interrupted&) {  // at a pipe that nobody empties; the exit code says so
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  return problems;
}

}  // namespace

ExitCode finish(const Options& o, const Ending& ending) {
  const std::vector<std::string> unwritten = write_files(ending.files);
  if (!prints_form(o)) print_lines(ending.text);
  for (const std::string& note : ending.notes) print_note(note);
  for (const auto* problems : {&ending.problems, &unwritten}) {
    for (const std::string& problem : *problems) print_error(problem);
  }
  if (!ending.problems.empty() || !unwritten.empty()) return ExitCode::kRuntime;
  if (ending.interrupted) return ExitCode::kInterrupted;
  if (!ending.valid) return ExitCode::kInvalidMeasurement;
  if (lost_output() != 0 || StopSignal::raised()) return ExitCode::kOk;
  for (const Report* report : ending.measured) forget_journal(*report);
  return ExitCode::kOk;
}

}  // namespace gpueval::cli
