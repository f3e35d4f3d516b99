// SPDX-License-Identifier: Apache-2.0
#include "cli/rules.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "cli/option_rows.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

// "--limit contradicts --mode speed: ...", for each heading and option that was typed.
void refuse(const Options& o, const std::vector<std::string>& what, const std::string& because) {
  for (const std::string& name : what) {
    if (o.typed(name)) fail_usage("{} contradicts {}", name, because);
    for (const OptionRow& row : option_rows()) {
      const bool of_command = (row.commands & o.command->set) != 0;
      if (of_command && row.heading == name && o.typed(row.name)) fail_usage("{} contradicts {}", row.name, because);
    }
  }
}

// The first one that was typed: "--no-flips".
std::string correction(const Options& o) {
  if (o.row.recipe.corrections.empty()) return "";
  const auto& [name, on] = *o.row.recipe.corrections.begin();
  return (on ? "--" : "--no-") + name;
}

std::string schemes(const Options& o) {
  return o.schemes.empty() ? "--scheme best" : fmt::format("--scheme {}", fmt::join(o.schemes, ","));
}

std::vector<std::string> tested_devices() {
  std::vector<std::string> names;
  for (const DeviceInfo& info : devices()) {
    if (info.has_selftest) names.push_back(info.name);
  }
  return names;
}

bool is_tested(const std::string& device) {
  const std::vector<std::string> names = tested_devices();
  return std::find(names.begin(), names.end(), device.substr(0, device.find(':'))) != names.end();
}

}  // namespace

void check_options(const Options& o) {
#define GPUEVAL_NEED(commands, holds, ...) \
  if ((o.command->set & (commands)) != 0 && !(holds)) fail_usage(__VA_ARGS__);
#define GPUEVAL_REFUSE(commands, when, because, ...) \
  if ((o.command->set & (commands)) != 0 && (when)) refuse(o, {__VA_ARGS__}, because);
#include "cli/rules.inc"
  if (o.command->uses != Uses::kFiles) check_device(settle_plan(o));
}

}  // namespace gpueval::cli
