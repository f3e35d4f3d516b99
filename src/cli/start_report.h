// SPDX-License-Identifier: Apache-2.0
// What a report says before and after anything was measured.
#pragma once

#include <string>

#include "cli/session.h"

namespace gpueval::cli {

Report start_report(const Options& options, const LoadedModel& model);  // no runs yet
RunReport empty_run(const Options& options, const std::string& precision);
std::string device_description(const std::string& name);
// What the engines have to say, once each.
void add_engine_notes(const EngineSet& set, Report& report);
// Warns of numbers that are likely to be wrong: many images skipped, labels or pixels that do not fit the network.
void add_warnings(const Options& options, const LoadedData& data, Report& report);
void report_left_out(const JudgedSet& judged, CalibrationReport& report);
void add_notes(const Options& options, const LoadedData& data, Report& report);

}  // namespace gpueval::cli
