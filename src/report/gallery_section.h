// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gpueval/report.h"

namespace gpueval {

// The pictures that two rows answer differently, these answers and the truth beside each other: boxes with classes and
// scores, or label maps over the picture. "" where there are none.
std::string gallery_section(const Report& report);

}  // namespace gpueval
