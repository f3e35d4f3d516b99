// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/session.h"

namespace gpueval::cli {

// --scheme auto: tries recipes on the first `count` of the images, calibrated on three quarters of them and measured on
// the rest, and returns the best. Fills report.trials.
QuantOptions pick_recipe(const Options& options, const LoadedModel& model, const Dataset& images, std::size_t count,
                         CalibrationReport& report, const CalibrationProgress& progress);

}  // namespace gpueval::cli
