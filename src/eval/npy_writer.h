// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/output_file.h"

namespace gpueval {

// Writes a two-dimensional float32 NumPy file (format 1.0) row by row, without knowing the count of rows beforehand.
// The file gets its name in finish(): until then, and after an error, there is only "<path>.part".
class NpyWriter {
 public:
  NpyWriter(std::string path, std::size_t columns);  // throws Error if the file cannot be made

  void append(std::span<const float> values);  // whole rows
  void finish();

 private:
  std::string header() const;

  std::size_t columns_, values_ = 0;
  OutputFile file_;
};

}  // namespace gpueval
