// SPDX-License-Identifier: Apache-2.0
// The parts of a measurement. Each fills in its share of the report's runs, which stand in --precision's order.
#pragma once

#include <string>
#include <vector>

#include "cli/progress.h"
#include "cli/session.h"

namespace gpueval::cli {

// Judges the planned images; returns the path of the journal, to be removed once the result is written.
std::string measure_accuracy(const Options& options, const LoadedModel& model, const LoadedData& data,
                             const std::vector<Graph>& lowered, const CalibrationTable& table, Progress& progress,
                             Report& report);
// Times the engines, and their layers with --per-layer.
void measure_speed(const Options& options, const LoadedModel& model, const LoadedData& data,
                   const std::vector<Graph>& lowered, Progress& progress, Report& report);

// Everything that decides an accuracy run's logits, as text: equal keys continue each other's journal.
std::string journal_key(const Options& options, const LoadedModel& model, const LoadedData& data, const ImagePlan& plan,
                        const CalibrationTable& table, int batch);

}  // namespace gpueval::cli
