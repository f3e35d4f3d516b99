// SPDX-License-Identifier: Apache-2.0
// Where the images of a pickled data set lie, and their labels.
#pragma once

#include <cstdint>
#include <vector>

#include "io/data/byte_source.h"

namespace gpueval::data {

struct PickledImage {
  std::uint64_t offset = 0, length = 0;
  bool utf8 = false;  // stored as text, one character a byte (protocol 2)
};
struct PickleIndex {
  std::vector<PickledImage> images;
  std::vector<int> labels;  // as many, none negative
};

// Reads a dict with `data` and `target`. Throws Error naming the source for everything else.
PickleIndex index_pickle(const ByteSource& source);

// The bytes of one image. BadImage if the text has characters that are no bytes.
std::vector<std::uint8_t> read_image_bytes(const ByteSource& source, const PickledImage& image);

}  // namespace gpueval::data
