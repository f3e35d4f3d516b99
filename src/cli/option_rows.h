// SPDX-License-Identifier: Apache-2.0
// The options of all commands: the rows of options.inc.
#pragma once

#include <CLI/CLI.hpp>
#include <span>

#include "cli/commands.h"

namespace gpueval::cli {

// Headings of --help; all options below one can be refused at once.
inline constexpr const char *kNetwork = "Network", *kImages = "Images",
                            *kPreprocessing = "Preprocessing (docs/preprocessing.md)",
                            *kTask = "Segmentation and detection (docs/metrics.md)", *kAnswers = "Answers and truth",
                            *kRows = "Rows", *kStatic = "Static int8 schemes", *kDevice = "Device",
                            *kAccuracy = "Accuracy", *kSensitive = "Sensitivity", *kSpeed = "Speed",
                            *kResult = "Result", *kPicture = "One picture", *kHidden = "";

struct OptionRow {
  unsigned commands;                  // that have it: a CommandSet
  const char *heading, *name, *help;  // name: empty of a row that is none or several
  void (*define)(CLI::App& app, const OptionRow& row, Options& options);
};
std::span<const OptionRow> option_rows();

// `options` must outlive the parsing.
void define_options(CLI::App& app, const Command& command, Options& options);

}  // namespace gpueval::cli
