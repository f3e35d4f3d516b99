// SPDX-License-Identifier: Apache-2.0
// The parts of a measurement. Each fills in its share of the report's runs, which stand in --precision's order.
#pragma once

#include <string>
#include <vector>

#include "cli/progress.h"
#include "cli/session.h"
#include "gpueval/latency.h"

namespace gpueval::cli {

// Judges the images; returns the path of the journal, to be forgotten once the result is written; empty: there is none.
std::string measure_accuracy(const Options& options, const LoadedModel& model, const LoadedData& data,
                             const JudgedSet& judged, const std::vector<Graph>& lowered, Progress& progress,
                             Report& report);
// Unless stdout lost something or a signal came: then the run may be asked for again.
void forget_journal(const std::string& journal);
constexpr const char* kResumeNote = "The same command with --resume continues instead of starting anew.";
// Times the engines, and their layers with --per-layer.
void measure_speed(const Options& options, const LoadedModel& model, const LoadedData& data,
                   const std::vector<Graph>& lowered, Progress& progress, Report& report);

// Errors of each layer of the int8 rows on some of the judged images, into the layers that measure_speed listed.
void measure_layer_error(const Options& options, const LoadedModel& model, const JudgedSet& judged,
                         const std::vector<Graph>& lowered, Progress& progress, Report& report);

// Batches of preprocessed images to time on; what the data has too few of is repeated. No data: synthetic ones.
std::vector<std::vector<float>> timing_inputs(const Options& options, const LoadedModel& model, const LoadedData& data,
                                              int batch);
SpeedOptions speed_options(const Options& options, int batch, Progress& progress);

// Everything that decides an accuracy run's logits, as text: equal keys continue each other's journal.
std::string journal_key(const Options& options, const LoadedModel& model, const LoadedData& data,
                        const JudgedSet& judged, const std::vector<Graph>& lowered, int batch);

}  // namespace gpueval::cli
