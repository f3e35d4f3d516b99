// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/output_file.h"

namespace gpueval {

// Writes a float32 NumPy file (format 1.0), (rows, columns), row by row, without knowing the count of rows beforehand.
// The file gets its name in finish(): until then, and after an error, there is only "<path>.part".
class NpyWriter {
 public:
  // Throws Error if the file cannot be made. resume: goes on with the rows of an earlier run that keeps() confirms.
  NpyWriter(std::string path, std::size_t columns, bool resume = false);
  // Of rows that have extents of their own: (rows, extents...).
  NpyWriter(std::string path, const std::vector<int>& extents);

  // Whether the next rows of an earlier run's file are those of these hashes (SHA-256, 32 bytes each). false: they and
  // all behind them are cut off.
  bool keeps(const std::vector<std::string>& row_sha256);
  void append(std::span<const float> values);  // whole rows; what was not confirmed is cut off
  void leave_part() { file_.leave_part(); }    // for a later run, whatever becomes of this one
  void finish();

 private:
  std::string header() const;
  void end_resuming();

  std::size_t columns_, values_ = 0;
  std::string extents_;  // of a row: "1000", "65, 65, 2"
  OutputFile file_;
  bool resuming_;  // behind the values there may be those of an earlier run
};

}  // namespace gpueval
