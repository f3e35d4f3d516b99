// SPDX-License-Identifier: Apache-2.0
// Which images a result is about, as text: the judged ones, and those that int8 was calibrated on.
#pragma once

#include <string>
#include <vector>

#include "gpueval/report.h"

namespace gpueval {

std::string judged_text(const DataReport& data);  // "images 1 to 500", "375 of the images 2 to 500"

// Whole sentences: which images, which of the data are not judged because of them, and where they were computed.
std::vector<std::string> calibration_sentences(const CalibrationReport& calibration);

}  // namespace gpueval
