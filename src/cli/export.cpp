// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/progress.h"
#include "gpueval/report.h"
#include "program/terminal.h"

namespace gpueval::cli {

ExitCode run_export(const Options& o) {
  const ExportedNetwork exported =
      with_progress([&](Observer& observer) { return export_network(unmeasured_plan(o), o.onnx, observer); });
  print_line(to_text(exported));
  for (const std::string& note : exported.notes) print_note(note);
  if (exported.calibration_images)
    print_line(fmt::format("Calibrated on {} images; `gpu_eval calibrate` writes a table that other commands can read.",
                           *exported.calibration_images));
  return ExitCode::kOk;
}

}  // namespace gpueval::cli
