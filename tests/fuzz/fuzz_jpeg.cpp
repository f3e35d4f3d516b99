// SPDX-License-Identifier: Apache-2.0
// Pictures of any bytes: the decoder gives a picture of the size that it says, or throws Error; so for each orientation
// that the bytes may name.
#include <cstdlib>

#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/exif.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const int orientation = gpueval::data::exif_orientation({bytes, size});
  if (orientation < 1 || orientation > 8) std::abort();
  try {
    const gpueval::Image image = gpueval::decode_jpeg({bytes, size}, "fuzz.jpg");
    if (image.width <= 0 || image.height <= 0) std::abort();
    if (image.rgb.size() != 3 * static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height))
      std::abort();
  } catch (const gpueval::Error&) {
    // Refused, in a sentence: what is wanted of a damaged file.
  }
  return 0;
}
