// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "session/calibration.h"

namespace gpueval {

// The automatic recipe: tries some on the images, calibrated on the first three quarters of them and measured on the
// rest, and returns the best. Fills report.trials. images: as spread_indices deals them out, so that both parts are
// spread.
QuantOptions pick_recipe(const Plan& plan, const RecipeRequest& request, const LoadedModel& model,
                         const Dataset& images, CalibrationReport& report, const StepText& step);

}  // namespace gpueval
