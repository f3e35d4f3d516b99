// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "gpueval/session.h"

namespace gpueval {

using StepText = std::function<void(const std::string&)>;

// What a static row needs: the plan's table as it was read, once it is checked, or one that is found. Both fill the
// report. request: of the row, with what the table has.
const CalibrationTable& check_read_table(const Plan& plan, const CalibrationTable& table, const RecipeRequest& request,
                                         const LoadedModel& model, const LoadedData& data, CalibrationReport& report);
CalibrationTable obtain_table(const Plan& plan, const RecipeRequest& request, const LoadedModel& model,
                              const LoadedData& data, CalibrationReport& report, const StepText& step);
// Calibrates on `count` images spread over the set.
CalibrationTable observe_table(const Plan& plan, const RecipeRequest& request, const LoadedModel& model,
                               const Dataset& images, std::size_t count, CalibrationReport& report,
                               const StepText& step);

}  // namespace gpueval
