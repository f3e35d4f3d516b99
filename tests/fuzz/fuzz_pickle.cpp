// SPDX-License-Identifier: Apache-2.0
// Whatever the bytes, the pickle reader gives an index whose images lie inside them, or throws Error.
#include <cstdlib>

#include "gpueval/error.h"
#include "io/data/pickle_index.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const gpueval::data::MemorySource source({bytes, size}, "fuzz.pkl");
  try {
    const auto index = gpueval::data::index_pickle(source);
    if (index.images.size() != index.labels.size()) std::abort();
    for (const auto& image : index.images) {
      if (image.offset > size || image.length > size - image.offset) std::abort();
      gpueval::data::read_image_bytes(source, image);
    }
    for (const int label : index.labels) {
      if (label < 0) std::abort();
    }
  } catch (const gpueval::Error&) {
    // Refused, in a sentence: what is wanted of a damaged file.
  }
  return 0;
}
