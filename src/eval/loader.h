// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "gpueval/accuracy.h"
#include "gpueval/dataset.h"
#include "gpueval/preprocessing.h"

namespace gpueval {

// How a picture came to the input.
struct PlacedImage {
  int height = 0, width = 0;  // of the picture; 0: of an array
  Geometry geometry = {};
};

struct LoadedChunk {
  std::size_t first = 0, count = 0;   // images [first, first + count) of the data
  std::vector<std::size_t> images;    // those that could be decoded, in order
  std::vector<PlacedImage> placed;    // one of each
  std::vector<float> pixels;          // images.size() preprocessed images, or
  std::vector<Image> decoded;         // so many for a device that preprocesses
  std::vector<SkippedImage> skipped;  // the others
};

// Decodes and preprocesses a range of images chunk by chunk, each chunk on all threads; one chunk is in memory at a
// time. The CPU backend uses the same threads, so loading and inference alternate; a backend that leaves them idle may
// call next() from a thread of its own, one chunk ahead.
class Loader {
 public:
  Loader(const Dataset& data, const Preprocessing& preprocessing, std::size_t first, std::size_t count,
         std::size_t chunk, bool preprocesses = true);

  bool next(LoadedChunk& chunk);    // false at the end of the range; throws whatever is no BadImage
  void skip_to(std::size_t image);  // next() continues there
  std::size_t image_elements() const;

 private:
  void check_small(const Image& image, std::size_t index) const;

  const Dataset& data_;
  Preprocessing preprocessing_;
  std::size_t position_, end_, chunk_;
  bool preprocesses_;
};

}  // namespace gpueval
