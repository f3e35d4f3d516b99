// SPDX-License-Identifier: Apache-2.0
#include "cli/option_groups.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

constexpr const char *kNetwork = "Network", *kImages = "Images", *kRows = "Rows", *kDevice = "Device",
                     *kResult = "Result";

std::vector<std::string> scheme_names() {
  std::vector<std::string> names{"best", "auto"};
  for (const Scheme scheme : {Scheme::kMaxAbs, Scheme::kPercentile, Scheme::kEntropy, Scheme::kMse, Scheme::kReference})
    names.push_back(to_string(scheme));
  return names;
}

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const Task* task : tasks()) names.push_back(task->name());
  return names;
}

void add_switch(CLI::App& app, Options& o, const CorrectionSwitch& row) {
  const std::string name = row.name;
  const auto turn = [&o, name](bool on) {
    return [&o, name, on](std::int64_t) {
      const bool first = o.recipe.corrections.emplace(name, on).second;
      if (!first && o.recipe.corrections[name] != on) fail_usage("--{0} contradicts --no-{0}", name);
    };
  };
  app.add_flag_function("--" + name, turn(true), row.help)->group(kCorrections);
  app.add_flag_function("--no-" + name, turn(false))->group("");  // not in --help
}

// What a network is judged by, and the pictures for that.
void add_task(CLI::App& app, Options& o) {
  Section task(app, "Segmentation and detection (docs/metrics.md)");
  task.option("--task", o.plan.task.name, "NAME",
              "classification, segmentation or detection (default: told by the network and --priors)")
      ->check(one_of(task_names()));
  task.option("--split", o.plan.data.split, "NAME",
              "of VOC, COCO and Cityscapes: judges ImageSets/*/NAME.txt, instances_NAME.json or the folder NAME");
  task.option("--calibration-split", o.plan.data.calibration_split, "NAME",
              "calibrates int8 on all of it (at most 128 pictures) instead of on some of the judged ones");
  task.option("--priors", o.plan.task.priors, "F.json",
              "of a detector: its boxes, classes and thresholds (docs/priors-schema.json), or embedded ones");
  task.option("--anchors", o.plan.anchors, "NAME", "scales of ssd300 and ssd512: voc or coco (default: the classes')")
      ->check(one_of({"voc", "coco"}));
  task.option("--score-threshold", o.plan.task.score_threshold, "S", "detections have scores above it (default .01)")
      ->check(between(0, 1));
  task.option("--nms-threshold", o.plan.task.nms_threshold, "IOU",
              "of two boxes of a class with more overlap one goes (default .45)")
      ->check(between(0, 1));
  task.option("--map-classes", o.map_classes, "V:C,...",
              "classes of a mask's values: 15:1,255:void,other:0 (default: they are the classes, 255 void)")
      ->check(parsed_by([](const std::string& text) { parse_class_map(text); }));
  task.option("--upsample", o.upsample, "NAME",
              "logits to the input's size: half-pixel (default) or aligned, corner on corner")
      ->check(one_of({"half-pixel", "aligned"}));
}

// Of no group that refuse() sees: their opposites are in none.
void refuse_corrections(const Options& o, const std::string& because) {
  for (const auto& [name, on] : o.recipe.corrections)
    fail_usage("--{}{} contradicts {}", on ? "" : "no-", name, because);
}

}  // namespace

void add_network(CLI::App& app, Options& o) {
  Section network(app, kNetwork);
  network.option(
      "--model", o.models, "NAME,...",
      "a network that Keras saved (.keras, .h5), or one of `gpu_eval list models` (mobilenet_0.25 names a width, "
      "too)");
  network.option("--alpha", o.plan.model.alpha, "A", "width of mobilenet: 1 (default), 0.75, 0.5, 0.25")
      ->check(above_zero());
  network.option("--weights", o.plan.model.weights, "F.h5",
                 "Keras weight file (default: the published name is looked for), or `random`: "
                 "seeded random weights, for speed");
  network.option("--seed", o.plan.model.seed, "N", "of random weights (default 1)")->check(whole(0, 1L << 53));
}

void add_images(CLI::App& app, Options& o) {
  Section images(app, kImages);
  images.option("--data", o.plan.data.path, "PATH",
                "a folder of JPEG and PNG images, an .npy of network inputs, val224_compressed.pkl or the like "
                "(which is looked for by default), or `demo`");
  images.option("--labels", o.plan.data.labels, "F",
                "class ids of a flat folder of images, or of an .npy (an .npy, too, or a text)");
  Section preparing(app, "Preprocessing (docs/preprocessing.md)");
  preparing
      .option("--normalize", o.normalize, "NAME",
              "none, tf, caffe, torch, unit, mean=M,M,M:std=S,S,S or mean=M:std=S (default: the network's, caffe for "
              "vgg16, resnet50 and squeezenet, tf for inceptionv3, xception, mobilenet and demo)")
      ->check(parsed_by(parse_normalization));
  preparing
      .option("--fit", o.fit, "NAME",
              "crop (short side, centre; default for folders), squash (default for stored crops), pad, pad-centre")
      ->check(one_of({"crop", "squash", "pad", "pad-centre"}));
  preparing
      .option("--resize", o.resize, "NAME", "bilinear (default), bicubic (default where folders are cropped), nearest")
      ->check(one_of({"bilinear", "bicubic", "nearest"}));
  preparing.option("--input-size", o.input_size, "HxW", "of the network, where it takes others (default: its own)")
      ->check(parsed_by(parse_input_size));
  preparing
      .option("--preprocess", o.preprocess, "NAME",
              "default, or original: the research code's 224 crop, then bilinear resize")
      ->check(one_of({"default", "original"}));
  add_task(app, o);
}

void add_scheme(CLI::App& app, Options& o, const std::string& help) {
  Section rows(app, kRows);
  rows.option("--scheme", o.schemes, "S,...", help)->check(one_of(scheme_names()));
}

void add_calibration(CLI::App& app, Options& o) {
  Section section(app, kStatic);
  section.option("--activations", o.activations, "TYPE", "u8 where a tensor cannot be negative (default), or s8")
      ->check(one_of({"u8", "s8"}));
  add_calibration_images(app, o);
  section
      .option("--calibration-percentile", o.recipe.percentile, "P",
              "scheme percentile: percent of a tensor's values inside its range (default 99.99)")
      ->check(between(50, 100));
  section.option("--float-layers", o.recipe.float_layers, "L,...", "left in float32, by Keras name");
}

void add_calibration_images(CLI::App& app, Options& o) {
  Section(app, kStatic)
      .option("--calibration-images", o.plan.calibration.images, "N",
              "spread over the data, not judged again (default 128, of judged data at most a quarter)")
      ->check(above_zero());
}

void add_table_to_read(CLI::App& app, Options& o) {
  Section(app, kStatic)
      .option("--calibration-table", o.plan.calibration.table, "F.json", "what `gpu_eval calibrate` wrote")
      ->excludes(app.get_option("--calibration-images"));
}

void add_corrections(CLI::App& app, Options& o) {
  for (const CorrectionSwitch& row : correction_switches()) add_switch(app, o, row);
}

void add_device(CLI::App& app, Options& o) {
  Section device(app, kDevice);
  device.option("--device", o.plan.device, "NAME", "auto (default), or one of `gpu_eval list devices`");
  device.option("--kernel", o.kernel, "NAME",
                "force a kernel of `gpu_eval list kernels` (float32 ones leave int8 layers as they are, and the "
                "reverse); on the CPU also an instruction set for int8, on cuda and emu a part of a name (dp4a, mma)");
  device.flag("--no-cuda-graph{false}", o.plan.cuda_graph,
              "cuda, emu: launch kernel by kernel, not one captured graph");
  device.option("--threads", o.threads, "N", "CPU threads (default: all cores)")->check(whole(1, 4096));
}

void add_timing(CLI::App& app, Options& o) {
  Section speed(app, kSpeed);
  SpeedPlan& plan = o.speed;
  speed.option("--warm-up", plan.warm_up_ms, "MS", "milliseconds before measuring (default 200)")
      ->check(zero_or_above());
  speed.option("--duration", plan.duration_s, "S", "least seconds measured for each row (default 3)")
      ->check(zero_or_above());
  speed.option("--iterations", plan.iterations, "N", "least iterations for each row (default 10)")->check(above_zero());
  speed.option("--percentiles", plan.percentiles, "P,...", "of the latency (default 50,90,99)")
      ->check(above_up_to(0, 100));
  speed.flag("--include-data-transfers", plan.include_transfers,
             "cuda, emu: the latency includes the copies to the device and back (else in a line of their own)");
}

void add_limit(CLI::App& app, Options& o) {
  Section(app, kAccuracy).option("--limit", o.plan.data.limit, "N", "judge at most N images")->check(above_zero());
}

void add_resume(CLI::App& app, Options& o) {
  Section(app, kAccuracy).flag("--resume", o.accuracy.resume, "continue a run that was killed or interrupted");
}

void add_results(CLI::App& app, Options& o, const char* schema) {
  Section result(app, kResult);
  result.option("--json", o.json, "F", fmt::format("write the result as JSON (docs/{}); - prints that", schema));
  result.option("--html", o.html, "F", "write it as a web page: one file with tables and charts; - prints that");
}

void add_mode(CLI::App& app, Options& o, std::vector<std::string> modes) {
  std::string help;
  for (const std::string& mode : modes) help += mode + (mode == "both" ? " (default)" : ", ");
  Section(app, kDevice).option("--mode", o.mode, "MODE", help)->check(one_of(std::move(modes)));
}

void refuse(const CLI::App& app, const char* heading, const std::string& because) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() == heading && option->count() > 0)
      fail_usage("{} contradicts {}", option->get_name(), because);
  }
}

void refuse_option(const Options& o, const std::string& option, const std::string& because) {
  if (o.given.contains(option)) fail_usage("{} contradicts {}", option, because);
}

void refuse_timing(const CLI::App& app, const Options& o) {
  if (o.mode == "accuracy") refuse(app, kSpeed, "--mode accuracy: it belongs to the speed part");
}

void refuse_int8(const CLI::App& app, const Options& o, const std::string& because) {
  refuse(app, kStatic, because);
  refuse_corrections(o, because);
}

void need_one_batch(const Options& o, const std::string& whose) {
  if (o.batches.size() > 1) fail_usage("--batch: {} takes one", whose);
}

std::string schemes_text(const Options& o) {
  return o.schemes.empty() ? "--scheme best" : fmt::format("--scheme {}", fmt::join(o.schemes, ","));
}

void need_model(const Options& o) {
  if (o.models.empty())
    fail_usage("--model NAME is needed: `gpu_eval list models` has the names, `--model demo` needs no file");
}

void check_static(const Options& o, const std::string& command) {
  if (o.models.size() > 1) fail_usage("--model: {} takes one network", command);
  if (o.schemes.size() > 1) fail_usage("--scheme: {} takes one", command);
  if (o.schemes == std::vector<std::string>{"reference"})
    fail_usage("{} contradicts --scheme reference, which finds its scales at run time: it is for static schemes",
               command);
}

void check_recipe(const Options& o) {
  const auto named = [&](const char* scheme) {
    return std::find(o.schemes.begin(), o.schemes.end(), scheme) != o.schemes.end();
  };
  if (!named("percentile"))
    refuse_option(o, "--calibration-percentile", schemes_text(o) + ": it belongs to --scheme percentile");
  if (!named("auto")) return;
  refuse_corrections(o, "--scheme auto, which picks them");
  if (!o.plan.calibration.table.empty()) fail_usage("--calibration-table contradicts --scheme auto, which calibrates");
}

}  // namespace gpueval::cli
