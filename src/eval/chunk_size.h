// SPDX-License-Identifier: Apache-2.0
// How many images an accuracy run decodes, runs and judges at once.
#pragma once

#include <algorithm>
#include <cstddef>

namespace gpueval {

struct ChunkSize {
  std::size_t batch = 1, images = 1;  // images: whole batches
};

// At least 64 images, enough to keep many decoding threads busy, but at most so many that the float32 outputs of all
// engines, `elements` an image, take 128 MiB together; of one image more is taken.
inline ChunkSize chunk_size(std::size_t batch, std::size_t elements, std::size_t engines) {
  constexpr std::size_t kLeastImages = 64, kMostBytes = 128u << 20;
  const std::size_t most = std::max<std::size_t>(kMostBytes / (engines * elements * sizeof(float)), 1);
  batch = std::min(batch, most);
  const std::size_t wanted = (std::max(batch, kLeastImages) + batch - 1) / batch;
  return {batch, std::min(wanted, most / batch) * batch};
}

}  // namespace gpueval
