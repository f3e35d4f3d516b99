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

struct Facts {
  std::string name;
  std::vector<Precision> precisions;
  bool own_memory = false, captures_graphs = false, preprocesses = false, emulated = false;
};

Facts facts_of(const std::string& name) {
  if (name == "cpu") return {name, {Precision::kFloat32, Precision::kInt8}};
  const bool gpu = name == "cuda";
  std::vector<Precision> precisions{Precision::kFloat32, Precision::kFloat16, Precision::kInt8};
  if (gpu) precisions.push_back(Precision::kTf32);
  return {name, precisions, true, true, true, !gpu};
}

// The device that will be used.
Facts chosen(const std::string& device) {
  const std::vector<DeviceInfo> all = devices();
  std::vector<std::string> names{"auto"};
  for (const DeviceInfo& info : all) names.push_back(info.name);
  if (std::find(names.begin(), names.end(), device) == names.end()) {
    fail_usage("--device {}: this version has {}{}", device, fmt::join(names, ", "), did_you_mean(device, names));
  }
  return facts_of(chosen_device(device));
}

void check_kernel(const Options& o, const Facts& device) {
  std::vector<std::string> names;
  for (const KernelInfo& row : kernels()) {
    if (row.device != device.name) continue;
    const bool part = device.own_memory && row.name.find(o.kernel) != std::string::npos;
    if (row.name == o.kernel || row.isa == o.kernel || part) return;
    names.push_back(row.name);
  }
  fail_usage("--kernel {}: the device {} has no such kernel or instruction set; it has {}", o.kernel, device.name,
             fmt::join(names, ", "));
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
    fail_usage("--labels needs --data: it is the ground truth of a folder of images");
  if (o.given.contains("--seed") && o.plan.model.weights != "random") fail_usage("--seed needs --weights random");
  Plan plan = o.plan;
  plan.model.name = o.models.empty() ? "" : o.models.front();
  plan.data.resizing = parse_resizing(o.preprocess);
  plan.rows = settle_rows(o);
  const std::vector<int> usual{o.speed.scenario == "offline" ? kOfflineBatch : 1};
  const std::vector<int>& batches = o.batches.empty() ? usual : o.batches;
  if (o.mode != "speed") {
    plan.accuracy = o.accuracy;
    plan.accuracy->preprocess_on_device = o.preprocess_on == "device";
    plan.accuracy->required =
        o.mode == "accuracy" || o.reference_accuracy || !o.accuracy.save_logits.empty() || o.accuracy.resume;
    if (o.mode == "accuracy" && !o.batches.empty()) plan.accuracy->batch = o.batches.front();
  }
  if (o.mode != "accuracy") {
    plan.speed = o.speed;
    plan.speed->batches = batches;
  }
  if (o.per_layer) plan.layers_batch = batches.front();
  return plan;
}

void check_device(const Options& o) {
  const Facts device = chosen(o.plan.device);
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
  if (!o.kernel.empty()) check_kernel(o, device);
}

}  // namespace gpueval::cli
