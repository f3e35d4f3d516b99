// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/session.h"

namespace gpueval::cli {

// --scheme auto: tries recipes on the images, calibrated on the first three quarters of them and measured on the rest,
// and returns the best. Fills report.trials. images: as spread_indices deals them out, so that both parts are spread.
QuantOptions pick_recipe(const Options& options, const LoadedModel& model, const Dataset& images,
                         CalibrationReport& report, const CalibrationProgress& progress);

}  // namespace gpueval::cli
