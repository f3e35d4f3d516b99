// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/option_groups.h"
#include "core/near_miss.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

constexpr int kOfflineBatch = 16;

RecipeRequest recipe_of(const Options& o, const std::string& scheme) {
  RecipeRequest recipe = o.recipe;
  recipe.automatic = scheme == "auto";
  if (!recipe.automatic && !scheme.empty()) recipe.scheme = parse_scheme(scheme);
  if (!o.activations.empty()) recipe.activations = o.activations == "s8" ? DType::kS8 : DType::kU8;
  recipe.depthwise_int8 = o.depthwise == "int8";
  return recipe;
}

void check_twice(const char* option, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::count(names.begin(), names.end(), name) > 1) fail_usage("{} names {} twice", option, name);
  }
}

PreprocessingChoice preprocessing_of(const Options& o) {
  PreprocessingChoice choice{.original = o.preprocess == "original"};
  if (!o.normalize.empty()) choice.normalization = parse_normalization(o.normalize);
  if (!o.fit.empty()) choice.fit = parse_fit(o.fit);
  if (!o.resize.empty()) choice.resize = parse_resize(o.resize);
  return choice;
}

// The device that will be used.
DeviceInfo chosen(const std::string& device) {
  std::vector<std::string> names{"auto"};
  for (const DeviceInfo& info : devices()) names.push_back(info.name);
  if (std::find(names.begin(), names.end(), device.substr(0, device.find(':'))) == names.end()) {
    fail_usage("--device {}: this version has {}{}", device, fmt::join(names, ", "), did_you_mean(device, names));
  }
  return device_info(device);
}

}  // namespace

bool Options::has_int8() const { return std::find(precisions.begin(), precisions.end(), "int8") != precisions.end(); }

std::vector<Row> settle_rows(const Options& o) {
  check_twice("--precision", o.precisions);
  check_twice("--scheme", o.schemes);
  std::vector<Row> rows;
  for (const std::string& precision : o.precisions) {
    const Row row{.precision = parse_precision(precision), .kernel = o.kernel};
    if (row.precision != Precision::kInt8) {
      rows.push_back(row);
      continue;
    }
    for (const std::string& scheme : o.schemes.empty() ? std::vector<std::string>{""} : o.schemes) {
      rows.push_back(row);
      rows.back().recipe = recipe_of(o, scheme);
      // Corrections that contradict each other; a table's recipe is not known yet.
      if (!rows.back().recipe.automatic && o.plan.calibration.table.empty()) settle(rows.back().recipe);
    }
  }
  return rows;
}

Plan settle_plan(const Options& o) {
  if (!o.plan.data.labels.empty() && o.plan.data.path.empty())
    fail_usage("--labels needs --data: it is the ground truth of a folder of images or of an .npy");
  if (o.given.contains("--seed") && o.plan.model.weights != "random") fail_usage("--seed needs --weights random");
  Plan plan = o.plan;
  if (!o.models.empty()) set_network(plan.model, o.models.front());
  plan.data.preprocessing = preprocessing_of(o);
  if (!o.input_size.empty()) plan.model.input = parse_input_size(o.input_size);
  if (!o.map_classes.empty()) plan.data.map = parse_class_map(o.map_classes);
  plan.task.aligned = o.upsample == "aligned";
  plan.rows = settle_rows(o);
  const std::vector<int> usual{o.speed.scenario == "offline" ? kOfflineBatch : 1};
  const std::vector<int>& batches = o.batches.empty() ? usual : o.batches;
  if (o.mode != "speed") {
    plan.accuracy = o.accuracy;
    plan.accuracy->preprocess_on_device = o.preprocess_on == "device";
    plan.accuracy->required =
        o.mode == "accuracy" || o.reference_accuracy || !o.plan.outputs.first.empty() || o.accuracy.resume;
    if (o.mode == "accuracy" && !o.batches.empty()) plan.accuracy->batch = o.batches.front();
  }
  if (o.mode != "accuracy") {
    plan.speed = o.speed;
    plan.speed->batches = batches;
  }
  if (o.per_layer) plan.layers_batch = batches.front();
  return plan;
}

Plan unmeasured_plan(const Options& o) {
  Plan plan = settle_plan(o);
  plan.accuracy.reset();
  plan.speed.reset();
  return plan;
}

void check_device(const Options& o) {
  const DeviceInfo device = chosen(o.plan.device);
  for (const std::string& name : o.precisions) {
    const Precision precision = parse_precision(name);
    const std::vector<Precision>& known = device.precisions;
    if (std::find(known.begin(), known.end(), precision) != known.end()) continue;
    fail_usage("--precision {}: it needs {} (--device cuda), and the device is {}", name,
               precision == Precision::kTf32 && device.emulated ? "cuDNN on a GPU" : "a GPU", device.name);
  }
  const auto need = [&](const char* option, bool has) {
    if (o.given.contains(option) && !has) fail_usage("{} is for the devices cuda and emu, not {}", option, device.name);
  };
  need("--no-cuda-graph", device.captures_graphs);
  need("--include-data-transfers", device.own_memory);
  if (o.preprocess_on == "device") need("--preprocess-on", device.preprocesses);
  if (!o.kernel.empty()) check_kernel(device.name, o.kernel);
}

}  // namespace gpueval::cli
