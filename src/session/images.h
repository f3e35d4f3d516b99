// SPDX-License-Identifier: Apache-2.0
// Which images calibrate and which are judged, and how they come to the network.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "gpueval/session.h"

namespace gpueval {

// What was asked for, and the normalization that a network's own pixel chain became (pixel_chain.h).
PreprocessingChoice asked_preprocessing(const Plan& plan, const LoadedModel& model);
// The same with the defaults of imported networks. Usage error for one that does not tell its normalization.
PreprocessingChoice preprocessing_choice(const Plan& plan, const LoadedModel& model);
Preprocessing preprocessing_of(const Plan& plan, const LoadedModel& model, const Dataset& images);

bool calibrates(const Plan& plan);  // some row needs ranges
// On images of the set that is judged or timed on, so that those are left out.
bool calibrates_on_judged(const Plan& plan, const LoadedData& data);
// Of a set of their own min(128, all), of the judged set min(128, a quarter), or as many as the plan asks for: usage
// error if there are fewer.
std::size_t calibration_count(const Plan& plan, const LoadedData& data);
// Throws Error if the calibration images leave none to judge.
void check_images_left(const Plan& plan, const LoadedData& data);

// The images that are judged: a view of the data, which must outlive it.
struct JudgedSet {
  std::vector<std::size_t> indices;  // in the data
  std::unique_ptr<Dataset> images;
  std::size_t left_out = 0, same_content = 0;  // calibration images, and others with the content of one
};
// The first `limit` images that the table was not calibrated on; by default the plan's limit. Error if there are none.
JudgedSet judged_set(const Plan& plan, const LoadedData& data, const CalibrationTable& table,
                     std::optional<std::size_t> limit = {});

}  // namespace gpueval
