// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/option_groups.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

void define_calibrate(CLI::App& app, Options& o) {
  add_network(app, o);
  add_images(app, o);
  add_scheme(app, o, "best (default), auto or others of `gpu_eval list calibrators`");
  add_calibration(app, o);
  Section(app, kStatic)
      .option("--calibration-table", o.table, "F.json",
              "the file to write (and F.json.weights, where weights are corrected)");
  add_corrections(app, o);
  add_device(app, o);
}

void check_calibrate(const CLI::App&, Options& o) {
  need_model(o);
  o.precisions = {"int8"};
  if (o.table.empty()) fail_usage("calibrate needs --calibration-table F.json, the file to write");
  check_static(o, "calibrate");
  check_recipe(o);
  check_device(o);
}

int run_calibrate(const Options& o) {
  const Plan plan = unmeasured_plan(o);
  Calibrated found;
  {
    Progress progress;
    found = calibrate_network(plan, progress);
  }
  const CalibrationTable& table = found.table;
  save_table(table, o.table);
  print_line(fmt::format("{}: ranges of {} tensors of {} from {} images of {}, scheme {}, {}", o.table,
                         table.range.size(), table.model, table.images, found.report.path, table.scheme,
                         table.preprocessing));
  for (const std::string& note : found.notes) print_note(note);
  if (!found.report.skipped.empty())
    print_line(fmt::format("{} images could not be decoded and were skipped.", found.report.skipped.size()));
  return 0;
}

}  // namespace

const Command kCalibrate{
    "calibrate",
    "find ranges and corrections of int8 on --data, for --calibration-table",
    define_calibrate,
    check_calibrate,
    run_calibrate,
    R"(  gpu_eval calibrate --model xception --data calibration_images/ --calibration-table xception.json
  gpu_eval --model xception --data ILSVRC2012_val/ --calibration-table xception.json)",
    true};

}  // namespace gpueval::cli
