// SPDX-License-Identifier: Apache-2.0
// A plan's rows from texts, and whether its device can run them.
#include <fmt/ranges.h>

#include <algorithm>

#include "core/near_miss.h"
#include "gpueval/error.h"
#include "gpueval/session.h"

namespace gpueval {
namespace {

void check_twice(const char* what, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::count(names.begin(), names.end(), name) > 1) fail_usage("{} names {} twice", what, name);
  }
}

Row of_scheme(Row row, const std::string& scheme, bool settles) {
  row.precision = Precision::kInt8;
  row.recipe.automatic = scheme == "auto";
  if (!row.recipe.automatic && !scheme.empty()) row.recipe.scheme = parse_scheme(scheme);
  if (settles && !row.recipe.automatic) settle(row.recipe);
  return row;
}

// The device that will be used.
DeviceInfo chosen(const std::string& device) {
  std::vector<std::string> names{"auto"};
  for (const DeviceInfo& info : devices()) names.push_back(info.name);
  if (std::find(names.begin(), names.end(), device.substr(0, device.find(':'))) == names.end())
    fail_usage("device {}: this version has {}{}", device, fmt::join(names, ", "), did_you_mean(device, names));
  return device_info(device);
}

}  // namespace

void set_rows(Plan& plan, const std::vector<std::string>& precisions, const std::vector<std::string>& schemes,
              const Row& common) {
  check_twice("precision", precisions);
  check_twice("scheme", schemes);
  plan.rows.clear();
  for (const std::string& name : precisions) {
    const Precision precision = parse_precision(name);
    if (precision != Precision::kInt8) {
      plan.rows.push_back({.precision = precision, .kernel = common.kernel});
      continue;
    }
    for (const std::string& scheme : schemes.empty() ? std::vector<std::string>{""} : schemes)
      plan.rows.push_back(of_scheme(common, scheme, plan.calibration.table.empty()));
  }
}

void check_device(const Plan& plan) {
  const DeviceInfo device = chosen(plan.device);
  for (const Row& row : plan.rows) {
    const std::vector<Precision>& known = device.precisions;
    if (std::find(known.begin(), known.end(), row.precision) != known.end()) continue;
    fail_usage("precision {}: it needs {} (--device cuda), and the device is {}", to_string(row.precision),
               row.precision == Precision::kTf32 && device.emulated ? "cuDNN on a GPU" : "a GPU", device.name);
  }
  const auto need = [&](const char* option, bool given, bool has) {
    if (given && !has) fail_usage("{} is for the devices cuda and emu, not {}", option, device.name);
  };
  need("no-cuda-graph", !plan.cuda_graph, device.captures_graphs);
  need("overlap-launches", plan.overlap_launches, device.captures_graphs);
  need("chunk", plan.chunk != 0, device.own_memory);
  need("input-as", !plan.input_as_bytes, device.own_memory);
  need("include-data-transfers", plan.speed && plan.speed->include_transfers, device.own_memory);
  need("preprocess-on", plan.accuracy && plan.accuracy->preprocess_on_device, device.preprocesses);
  for (const Row& row : plan.rows) {
    if (!row.kernel.empty()) check_kernel(device.name, row.kernel);
  }
}

}  // namespace gpueval
