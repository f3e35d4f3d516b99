// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/options.h"

namespace gpueval::cli {
namespace {

constexpr int kOfflineBatch = 16;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool Options::has_int8() const { return contains(precisions, "int8"); }
bool Options::has_scheme(const std::string& name) const { return contains(schemes, name); }

Plan settle_plan(const Options& o) {
  Plan plan = o.plan;
  if (!o.models.empty()) set_network(plan.model, o.models.front());
  set_rows(plan, o.precisions, o.schemes, o.row);
  const std::vector<int> usual{o.speed.scenario == "offline" ? kOfflineBatch : 1};
  const std::vector<int>& batches = o.batches.empty() ? usual : o.batches;
  if (o.mode != "speed") {
    plan.accuracy = o.accuracy;
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

std::vector<Plan> plans_of_each(const Options& o) { return plan_each_network(settle_plan(o), o.models); }

}  // namespace gpueval::cli
