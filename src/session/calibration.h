// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "gpueval/session.h"

namespace gpueval {

using StepText = std::function<void(const std::string&)>;

// What a static row needs: read from the plan's table and checked, or found. Fills the report. request: of the row,
// with what the table has.
CalibrationTable obtain_table(const Plan& plan, const RecipeRequest& request, const LoadedModel& model,
                              const LoadedData& data, CalibrationReport& report, const StepText& step);
// Calibrates on `count` images spread over the set.
CalibrationTable observe_table(const Plan& plan, const RecipeRequest& request, const LoadedModel& model,
                               const Dataset& images, std::size_t count, CalibrationReport& report,
                               const StepText& step);

}  // namespace gpueval
