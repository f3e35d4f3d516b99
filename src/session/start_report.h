// SPDX-License-Identifier: Apache-2.0
// What a report says before and after anything was measured.
#pragma once

#include <string>

#include "session/images.h"
#include "session/prepare.h"

namespace gpueval {

Report start_report(const Plan& plan, const LoadedModel& model);  // no runs yet
RunReport empty_run(const LoweredRow& row);
// What the engines have to say, once each.
void add_engine_notes(const EngineSet& set, Report& report);
// Warns of what is known of the data and the calibration.
void add_warnings(const LoadedData& data, Report& report);
// Warns of numbers that are likely to be wrong: many images skipped, labels or pixels that do not fit the network.
void add_doubts(Report& report);
void report_left_out(const JudgedSet& judged, CalibrationReport& report);
void add_notes(const Plan& plan, const LoadedData& data, Report& report);

}  // namespace gpueval
