// SPDX-License-Identifier: Apache-2.0
// What was typed, as the options of every command fill it in (cli/option_groups.h).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gpueval/session.h"

namespace gpueval::cli {

struct Options {
  std::vector<std::string> models;
  Plan plan;  // but for its model's name, its rows and its parts, which are put together below
  std::string preprocess = "default", preprocess_on = "host", normalize, fit, resize, input_size, map_classes, upsample;
  std::vector<std::string> precisions{"float32", "int8"}, schemes;
  std::string depthwise = "int8", kernel;
  RecipeRequest recipe;  // but for its scheme
  std::string activations;
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
  std::string masks;                              // judge: its answers
  std::string json, html, markdown, onnx, table;  // files to write; the first three may be "-", standard output
  std::string image, class_names;
  std::vector<std::string> positional;       // of list and compare
  std::string kernels;                       // selftest: a regular expression
  std::vector<std::string> selftest_worker;  // this process tests them for another one

  std::set<std::string> given;  // options that were typed: "--alpha"
  std::string command_line;

  bool has_int8() const;
};

// The plan of what was typed.
Plan settle_plan(const Options& options);
// Without an accuracy and a speed part: of a command that only prepares a network.
Plan unmeasured_plan(const Options& options);
// Rows of --precision and --scheme.
std::vector<Row> settle_rows(const Options& options);
// What the device cannot do, naming the option.
void check_device(const Options& options);

}  // namespace gpueval::cli
