// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gpueval/report.h"

namespace gpueval {

// "int8 maxabs: 0.4 points lower top-1 than float32 (p = 0.31: not a significant difference at 5%), 3.1 times the
// images/s."
std::string conclusion(const Task& task, const RunReport& run, const RunReport& first);

}  // namespace gpueval
