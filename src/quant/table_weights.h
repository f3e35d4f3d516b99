// SPDX-License-Identifier: Apache-2.0
// The side file of a calibration table: the corrected integer weights of all layers, raw, one layer after the other in
// the order of their names. The table holds the file's name, size and SHA-256.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/output_file.h"
#include "gpueval/quant.h"

namespace gpueval {

struct SideFile {
  std::string name;  // without folder: it lies next to the table
  std::uint64_t bytes = 0;
  std::string sha256;
};

// "T.weights" for "T.json", the whole name and ".weights" for any other.
std::string side_file_path(const std::string& table_path);

SideFile write_side_file(const CalibrationTable& table, OutputFile& file);  // the caller commits it

// Fills the weights: counts says how many each layer has.
void read_side_file(const SideFile& file, const std::string& table_path,
                    const std::map<std::string, std::uint64_t>& counts, CalibrationTable& table);

}  // namespace gpueval
