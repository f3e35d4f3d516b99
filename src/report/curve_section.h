// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gpueval/report.h"

namespace gpueval {

// Precision against recall of every judged row: the mean over the classes, and each class where they are few. "" for a
// task without such curves.
std::string curve_section(const Report& report);

}  // namespace gpueval
