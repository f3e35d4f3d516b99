// SPDX-License-Identifier: Apache-2.0
// What was typed, as the rows of options.inc fill it in.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gpueval/session.h"

namespace gpueval::cli {

struct Command;

struct Options {
  std::vector<std::string> models, precisions{"float32", "int8"}, schemes;
  Plan plan;  // but for its model's name, its rows and its parts, which are put together below
  Row row;    // what the rows share
  std::string mode = "both";
  std::vector<int> batches;
  AccuracyPlan accuracy;
  SpeedPlan speed;
  bool per_layer = false;
  int threads = 0;
  std::optional<double> reference_accuracy;
  double threshold_points = 0;
  SensitivityPlan sensitivity;
  JudgePlan judge;
  std::string json, html, markdown, onnx, table;  // files to write; the first three may be "-", standard output
  std::string image, class_names;
  std::vector<std::string> positional;       // of list, inspect and compare
  std::string kernels;                       // selftest: a regular expression
  std::vector<std::string> selftest_worker;  // this process tests them for another one

  const Command* command = nullptr;
  std::set<std::string> given;  // options that were typed: "--alpha"
  std::string command_line;

  bool has_int8() const;
  bool has_scheme(const std::string& name) const;  // was typed
  bool typed(const std::string& option) const { return given.contains(option); }
  std::string selftest_device() const { return plan.device == "auto" ? "cuda" : plan.device; }
};

// The plan of what was typed.
Plan settle_plan(const Options& options);
// Without an accuracy and a speed part: of a command that only prepares a network.
Plan unmeasured_plan(const Options& options);
// A plan for each of --model's names, and for each width that is meant.
std::vector<Plan> plans_of_each(const Options& options);

}  // namespace gpueval::cli
