// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy: "\x93NUMPY", a version, and the text of a Python dict of type, order and shape in front of the
// elements. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/data/byte_source.h"

namespace gpueval::data {

struct NpyHeader {
  char kind = 'u';  // u, i, f: numbers; b: bool
  std::size_t bytes = 1;
  bool big_endian = false;
  std::vector<std::uint64_t> shape;
  std::uint64_t first = 0;  // offset of the first element

  std::string type() const;  // "float32"
  std::string shape_text() const;
};

bool is_npy(const ByteSource& file);  // by its first bytes
// Error for whatever is no array of numbers in C order, and for a file that is not as long as its header says.
NpyHeader read_npy_header(const ByteSource& file);

}  // namespace gpueval::data
