// SPDX-License-Identifier: Apache-2.0
// The boxes of a cell in a file of priors (docs/priors-schema.json).
#pragma once

#include <string>
#include <vector>

#include "core/json_fields.h"

namespace gpueval {

struct CellBox {
  double width = 0, height = 0;
};

// Numbers of an array, each above `above`; `count` many, 0: at least one.
std::vector<double> numbers_above(const JsonFields& json, const char* key, std::size_t count, double above);

// In the order of the outputs. order: "sizes-then-ratios", "by-size", "by-ratio".
std::vector<CellBox> cell_boxes(const JsonFields& map, const std::string& order);

}  // namespace gpueval
