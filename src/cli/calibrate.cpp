// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/progress.h"
#include "program/terminal.h"

namespace gpueval::cli {

ExitCode run_calibrate(const Options& o) {
  const Calibrated found =
      with_progress([&](Observer& observer) { return calibrate_network(unmeasured_plan(o), observer); });
  const CalibrationTable& table = found.table;
  save_table(table, o.table);
  print_line(fmt::format("{}: ranges of {} tensors of {} from {} images of {}, scheme {}, {}", o.table,
                         table.range.size(), table.model, table.images, found.report.path, table.scheme,
                         table.preprocessing));
  for (const std::string& note : found.notes) print_note(note);
  if (!found.report.skipped.empty())
    print_line(fmt::format("{} images could not be decoded and were skipped.", found.report.skipped.size()));
  return ExitCode::kOk;
}

}  // namespace gpueval::cli
