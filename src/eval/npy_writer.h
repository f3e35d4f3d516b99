// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

namespace gpueval {

// Writes a two-dimensional float32 NumPy file (format 1.0) row by row, without knowing the count of rows beforehand.
// The file gets its name in finish(): until then, and after an error, there is only "<path>.part".
class NpyWriter {
 public:
  NpyWriter(std::string path, std::size_t columns);  // throws Error if the file cannot be created
  ~NpyWriter();
  NpyWriter(const NpyWriter&) = delete;
  NpyWriter& operator=(const NpyWriter&) = delete;

  void append(std::span<const float> values);  // whole rows
  void finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void write_header();

  std::string path_, part_;
  std::size_t columns_, values_ = 0;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace gpueval
