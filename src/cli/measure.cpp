// SPDX-License-Identifier: Apache-2.0
// `gpu_eval` without a command: accuracy and speed of a network, row by row.
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/networks.h"
#include "cli/option_groups.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "gpueval/report.h"

namespace gpueval::cli {
namespace {

constexpr const char* kPicture = "One picture";

void define_measure(CLI::App& app, Options& o) {
  add_network(app, o);
  add_images(app, o);
  Section rows(app, "Rows");
  rows.option("--precision", o.precisions, "P,...",
              "float32, tf32, float16, int8 (default float32,int8); tf32 and float16 on a GPU")
      ->check(one_of({"float32", "tf32", "float16", "int8"}));
  add_scheme(app, o,
             "of int8, a row each: best (default; maxabs where accuracy is not measured), auto or others of "
             "`gpu_eval list calibrators`");
  rows.option("--depthwise", o.depthwise, "TYPE", "scheme reference: depthwise layers in int8 (default) or float32")
      ->check(one_of({"int8", "float32"}));
  add_calibration(app, o);
  add_table_to_read(app, o);
  add_corrections(app, o);
  add_device(app, o);
  Section device(app, "Device");
  add_mode(app, o, {"accuracy", "speed", "both"});
  device.option("--batch", o.batches, "N,...", "images at once; speed: 1 by default, accuracy: 16")
      ->check(whole(1, 4096));
  device.flag("--per-layer", o.per_layer, "time of each layer, with its kernel; error of each int8 layer");
  Section accuracy(app, kAccuracy);
  add_limit(app, o);
  accuracy
      .option("--preprocess-on", o.preprocess_on, "WHERE",
              "host (default) or device: cuda and emu resize and normalise the images themselves, same bits")
      ->check(one_of({"host", "device"}));
  add_resume(app, o);
  accuracy.option("--save-logits", o.plan.outputs.first, "F.npy",
                  "NumPy float32 (images, classes) of the last row: its first output");
  accuracy.option("--save-outputs", o.plan.outputs.folder, "DIR", "every output of the last row, <layer>.npy each");
  accuracy.flag("--probabilities", o.plan.outputs.probabilities,
                "what is saved: behind the network's softmax or sigmoid (default: in front of it)");
  accuracy.option("--save-detections", o.accuracy.save_detections, "F.json",
                  "the last row's detections, as COCO's result files have them");
  accuracy.option("--save-masks", o.plan.task.save_masks, "DIR", "the last row's label maps, a palette PNG a picture");
  CLI::Option* reference =
      accuracy
          .option("--reference", o.reference_accuracy, "ACC",
                  "accuracy gate: exit code 3 if the last row's top-1, mIoU or AP is below ACC - POINTS/100")
          ->check(between(0, 1));
  accuracy.option("--threshold", o.threshold_points, "POINTS", "of the accuracy gate (default 0)")
      ->check(zero_or_above())
      ->needs(reference);
  add_timing(app, o);
  Section speed(app, kSpeed);
  speed
      .option("--scenario", o.speed.scenario, "NAME",
              "offline (batches of 16), single-stream (batch 1, p90) or server (random arrivals)")
      ->check(one_of({"offline", "single-stream", "server"}));
  speed
      .option("--latency-bound", o.speed.latency_bound_ms, "MS",
              "server: most that p99 may take, in milliseconds (default 15)")
      ->check(above_zero());
  add_results(app, o, "result-schema.json");
  Section picture(app, kPicture);
  CLI::Option* image = picture.option("--image", o.image, "F.jpg",
                                      "print the five likeliest classes of this JPEG or PNG instead of measuring");
  picture.option("--class-names", o.class_names, "F", "one name a line (default: ImageNet's)")->needs(image);
}

void check_int8(const CLI::App& app, const Options& o) {
  const std::vector<Row> rows = settle_rows(o);
  const bool dynamic =
      std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.scheme() == "reference"; });
  const bool fixed = std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.calibrates(); });
  if (!o.has_int8()) {
    refuse_int8(app, o, "--precision float32: it belongs to int8");
    refuse_option(o, "--scheme", "--precision float32: it belongs to int8");
  }
  if (!fixed) refuse_int8(app, o, "--scheme reference, which is s8, finds its scales at run time and corrects nothing");
  if (!dynamic) refuse_option(o, "--depthwise", schemes_text(o) + ": it belongs to --scheme reference");
  check_recipe(o);
}

void check_mode(const CLI::App& app, const Options& o) {
  if (o.mode == "speed") refuse(app, kAccuracy, "--mode speed: it belongs to the accuracy part");
  refuse_timing(app, o);
  if (o.speed.scenario != "server") refuse_option(o, "--latency-bound", "every scenario but server");
  if (o.speed.scenario == "single-stream" && !o.batches.empty() && o.batches != std::vector{1})
    fail_usage("--batch {} contradicts --scenario single-stream, which asks one image at a time",
               fmt::join(o.batches, ","));
  if (o.mode == "accuracy") need_one_batch(o, "--mode accuracy");
  if (o.models.size() > 1) {
    for (const char* option :
         {"--weights", "--alpha", "--calibration-table", "--save-logits", "--reference", "--image"})
      if (o.plan.model.weights != "random" || std::string(option) != "--weights")
        refuse_option(o, option, "several networks");
  }
  if (!o.image.empty()) {
    refuse_option(o, "--labels", "--image: it is ground truth; the names of the classes are --class-names F");
    for (const char* heading : {kAccuracy, kSpeed, "Result"})
      refuse(app, heading, "--image, which only prints the classes");
    for (const char* option : {"--mode", "--per-layer", "--batch"})
      refuse_option(o, option, "--image, which only prints the classes");
  }
}

void check_measure(const CLI::App& app, Options& o) {
  need_model(o);
  check_int8(app, o);
  check_mode(app, o);
  check_device(o);
}

// Of the last row that has an accuracy.
bool gate_failed(const Options& o, const Report& report) {
  if (!o.reference_accuracy) return false;
  const auto last = std::find_if(report.runs.rbegin(), report.runs.rend(),
                                 [](const RunReport& run) { return run.accuracy.has_value(); });
  const double least = *o.reference_accuracy - o.threshold_points / 100, found = last->accuracy->headline();
  const bool failed = !(found >= least);  // nor where it is NaN
  const std::string sentence =
      fmt::format("Accuracy gate {}: {} has {} {:.4f}, at least {:.4f} is asked for.", failed ? "FAILED" : "passed",
                  last->label(), last->accuracy->metrics.front().name, found, least);
  prints_form(o) ? print_note(sentence) : print_line(sentence);
  return failed;
}

int finish(const Options& o, Report& report) {
  if (report.interrupted && !report.journal.empty()) report.notes.emplace_back(kResumeNote);
  std::vector<std::string> problems =
      write_results({{o.json, [&] { return to_json(report); }}, {o.html, [&] { return to_html(report); }}});
  if (!prints_form(o)) {
    print_lines(to_table(report));
    if (o.per_layer) print_lines(to_layer_tables(report));
  }
  const bool failed = !report.interrupted && gate_failed(o, report);
  problems.insert(problems.begin(), report.output_errors.begin(), report.output_errors.end());
  const ExitCode code = outcome(problems, report.interrupted, report.valid());
  if (code != ExitCode::kOk) return exit_status(code);
  if (lost_output() == 0 && !StopSignal::raised()) forget_journal(report);
  return exit_status(failed ? ExitCode::kAccuracyGate : ExitCode::kOk);
}

int print_classes(const Options& o) {
  Classification found;
  {
    Progress progress;
    found = classify(unmeasured_plan(o), o.image, o.class_names, progress);
  }
  print_lines(to_text(found));
  return 0;
}

int run_measure(const Options& o) {
  if (!o.image.empty()) return print_classes(o);
  if (o.models.size() > 1) return run_networks(o, plans_of_each(o));
  Report report;
  {
    Progress progress;
    Plan plan = settle_plan(o);
    if (!o.html.empty()) plan.gallery.emplace();
    report = measure(plan, progress);
  }
  report.command = o.command_line;
  return finish(o, report);
}

}  // namespace

const Command kMeasure{
    "",
    "accuracy and speed of CNNs in float32 and int8, measured on your own machine",
    define_measure,
    check_measure,
    run_measure,
    "Without --weights and --data, the published file names are looked for in ~/.keras/models, "
    "$GPUEVAL_DATA (and its sub-folders) and the current folder. Journals of unfinished runs, for "
    "--resume, lie in $GPUEVAL_CACHE or ~/.cache/gpueval.\n"
    "  gpu_eval --model demo                                          needs no file at all\n"
    "  gpu_eval --model mobilenet_0.25 --data val224_compressed.pkl --json result.json\n"
    "  gpu_eval --model resnet50 --data ILSVRC2012_val/ --labels LOC_val_solution.csv\n"
    "  gpu_eval --model resnet50,vgg16 --weights random --mode speed --batch 1,16\n"
    "  gpu_eval --model squeezenet --image cat.jpg\n"
    "Exit codes: 0 ok, 1 run-time error, 2 usage, 3 accuracy gate failed, 4 measurement INVALID, 5 no "
    "usable device, 130 interrupted (Ctrl-C: what is done is printed and written; the same command with"
    " --resume continues).",
    true};

}  // namespace gpueval::cli
