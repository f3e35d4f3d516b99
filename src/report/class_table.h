// SPDX-License-Identifier: Apache-2.0
// The headline of a result by class, every judged row beside the others.
#pragma once

#include <cstddef>
#include <limits>
#include <string>

#include "gpueval/report.h"
#include "report/text_table.h"

namespace gpueval {

// The data's name of a class, else "class 7".
std::string class_name(const Report& report, int category);

struct ClassTable {
  std::string title;  // "AP by class, ..."; empty: there is nothing by class
  TextTable table;    // classes whose values differ most first; of one row the lowest first
  std::string rest;   // a sentence on the classes beyond `most`; empty: there are none
};
ClassTable class_table(const Report& report, std::size_t most = std::numeric_limits<std::size_t>::max());

}  // namespace gpueval
