// SPDX-License-Identifier: Apache-2.0
// What makes the numbers of a finished measurement doubtful: whole sentences for Report::warnings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/accuracy.h"

namespace gpueval {

// More than 1% of `count` images ("images", "calibration images") could not be decoded.
std::optional<std::string> skipped_warning(const std::string& what, const std::vector<SkippedImage>& skipped,
                                           std::size_t count);

}  // namespace gpueval
