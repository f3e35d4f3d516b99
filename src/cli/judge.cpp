// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/option_groups.h"
#include "cli/outputs.h"
#include "cli/terminal.h"
#include "gpueval/error.h"
#include "gpueval/report.h"

namespace gpueval::cli {
namespace {

void define_judge(CLI::App& app, Options& o) {
  Section judged(app, "Answers and truth");
  judged.option("--task", o.judge.task, "NAME", "detection or segmentation")
      ->check(one_of({"detection", "segmentation"}));
  judged.option("--truth", o.judge.truth, "PATH",
                "COCO's instances JSON, or a folder of VOC, COCO, Cityscapes, or images/ and masks/");
  judged.option("--split", o.judge.split, "NAME", "of that folder (default: all)");
  judged.option("--detections", o.judge.answers, "F.json", "as COCO's result files have them");
  judged.option("--masks", o.masks, "DIR", "label maps: a PNG of class ids a picture, of its name");
  judged.option("--map-classes", o.map_classes, "V:C,...", "classes of the truth's values: 15:1,255:void,other:0")
      ->check(parsed_by([](const std::string& text) { parse_class_map(text); }));
  add_results(app, o, "result-schema.json");
}

void check_judge(const CLI::App&, Options& o) {
  const bool detection = o.judge.task == "detection";
  if (o.judge.task.empty()) fail_usage("judge needs --task detection or segmentation");
  if (o.judge.truth.empty()) fail_usage("judge needs --truth, what the answers are judged by");
  refuse_option(o, detection ? "--masks" : "--detections", "--task " + o.judge.task);
  if (detection) refuse_option(o, "--map-classes", "--task detection");
  if (!detection) o.judge.answers = o.masks;
  if (o.judge.answers.empty())
    fail_usage("judge needs {}, the answers", detection ? "--detections F.json" : "--masks DIR");
  if (!o.map_classes.empty()) o.judge.map = parse_class_map(o.map_classes);
}

int run_judge(const Options& o) {
  Report report = judge_answers(o.judge);
  report.command = o.command_line;
  const std::vector<std::string> problems =
      write_results({{o.json, [&] { return to_json(report); }}, {o.html, [&] { return to_html(report); }}});
  if (!prints_form(o)) print_lines(to_table(report));
  return exit_status(outcome(problems, false, true));
}

}  // namespace

const Command kJudge{"judge",
                     "score detections or masks that any engine wrote, as a run's own are",
                     define_judge,
                     check_judge,
                     run_judge,
                     R"(  gpu_eval judge --task detection --truth instances_val2017.json --detections dump.json
  gpu_eval judge --task segmentation --truth VOC2012/ --split val --masks answers/)"};

}  // namespace gpueval::cli
