// SPDX-License-Identifier: Apache-2.0
// Parts of a data set: which images calibrate, and which of the others are judged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpueval/dataset.h"

namespace gpueval {

// The images at `indices`, in that order, as a data set of their own. `data` must outlive it.
std::unique_ptr<Dataset> select(const Dataset& data, std::vector<std::size_t> indices);

// `count` images spread over the whole set: as equally over the classes as their sizes allow, and within a class over
// its list. The same seed gives the same images on every machine. They are dealt out class by class in turn, so the
// first n of them are spread, too. A set without labels counts as one class.
std::vector<std::size_t> spread_indices(const Dataset& data, std::size_t count, std::uint64_t seed);
std::size_t class_count(const Dataset& data);  // classes that have an image; 0 without labels

// What tells whether two images are the same picture file, whatever their names and wherever they are kept.
struct ImageDigest {
  std::size_t index = 0;    // in its data set
  std::uint64_t bytes = 0;  // of the encoded image; 0: it has none, and equals no other
  std::string sha256;       // of these bytes
  bool operator==(const ImageDigest&) const = default;
};
std::vector<ImageDigest> image_digests(const Dataset& data, std::span<const std::size_t> indices);

// The images of the data that are not `taken` (indices, any order) and have the content of none of `known`, in order,
// at most `limit`. Images are only read where their length is that of a known one.
struct OtherImages {
  std::vector<std::size_t> indices;
  std::size_t taken = 0, same_content = 0;  // left out, up to the last of indices where limit was reached
};
OtherImages other_images(const Dataset& data, std::span<const std::size_t> taken, std::span<const ImageDigest> known,
                         std::size_t limit);

// SHA-256 (hex) of the indices as decimal numbers, one a line.
std::string indices_sha256(std::span<const std::size_t> indices);

}  // namespace gpueval
