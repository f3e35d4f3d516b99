// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/option_groups.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "gpueval/error.h"
#include "gpueval/report.h"

namespace gpueval::cli {
namespace {

void define_sensitivity(CLI::App& app, Options& o) {
  add_network(app, o);
  add_images(app, o);
  add_scheme(app, o, "best (default), auto or others of `gpu_eval list calibrators`");
  add_calibration(app, o);
  add_table_to_read(app, o);
  app.remove_option(app.get_option("--float-layers"));  // what it finds
  add_corrections(app, o);
  add_device(app, o);
  add_mode(app, o, {"accuracy", "both"});
  add_limit(app, o);
  Section section(app, "Sensitivity");
  CLI::Option* target = section
                            .option("--target-loss", o.sensitivity.target_loss_points, "POINTS",
                                    "find the fewest layers in float32 that lose at most POINTS of top-1, mIoU or AP")
                            ->check(between(0, 100));
  section
      .option("--choosing-images", o.sensitivity.choosing_images, "N",
              "spread over those not calibrated on, choose the layers and are not judged (default half of what is "
              "left, at most 500 and 2 GiB)")
      ->check(above_zero())
      ->needs(target);
  add_timing(app, o);
  Section(app, kSpeed).option("--batch", o.batches, "N", "images at once (default 1)")->check(whole(1, 4096));
  add_results(app, o, "sensitivity-schema.json");
}

void check_sensitivity(const CLI::App& app, Options& o) {
  need_model(o);
  check_static(o, "sensitivity");
  check_recipe(o);
  if (!o.sensitivity.target_loss_points) refuse(app, kSpeed, "sensitivity without --target-loss, which times nothing");
  refuse_timing(app, o);
  need_one_batch(o, "sensitivity");
  check_device(o);
}

int run_sensitivity(const Options& o) {
  SensitivityReport report;
  {
    Progress progress;
    report = measure_sensitivity(settle_plan(o), o.sensitivity, progress);
  }
  report.command = o.command_line;
  const std::vector<std::string> problems =
      write_results({{o.json, [&] { return to_json(report); }}, {o.html, [&] { return to_html(report); }}});
  if (!prints_form(o)) print_lines(to_text(report));
  bool valid = true;
  if (report.mixed) {
    for (const MixedSpeed& row : report.mixed->speed) valid = valid && row.speed.valid;
  }
  return exit_status(outcome(problems, report.interrupted, valid));
}

}  // namespace

const Command kSensitivity{"sensitivity",
                           "rank the layers by what int8 costs there",
                           define_sensitivity,
                           check_sensitivity,
                           run_sensitivity,
                           R"(  gpu_eval sensitivity --model mobilenet_0.25
  gpu_eval sensitivity --model mobilenet_0.25 --target-loss 0.5      which few to leave in float32)",
                           true};

}  // namespace gpueval::cli
