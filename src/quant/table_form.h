// SPDX-License-Identifier: Apache-2.0
// What reading and writing a calibration table share.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "gpueval/quant.h"

namespace gpueval {

constexpr int kTableSchema = 1;

// SHA-256 (hex) of a table's JSON without the field `table_sha256`, keys sorted, no blanks: of what it says, not of how
// it is laid out.
std::string table_sha256(nlohmann::json json);

// Throws Error naming layer and field for numbers that no calibration gives: `path` begins the sentence.
void check_table_numbers(const CalibrationTable& table, const std::string& path);

}  // namespace gpueval
