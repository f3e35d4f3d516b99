// SPDX-License-Identifier: Apache-2.0
// PNG files of any bytes: the decoder gives a picture of the size that it says, or throws Error. Checksums would refuse
// nearly everything, so those of the chunks are put right first.
#include <png.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/exif.h"

namespace {

std::uint32_t crc_of(const std::uint8_t* bytes, std::size_t count) {
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < count; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

void put_checksums_right(std::vector<std::uint8_t>& png) {
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::size_t length = png_get_uint_32(png.data() + at);
    if (length > png.size() - at - 12) break;
    png_save_uint_32(png.data() + at + 8 + length, crc_of(png.data() + at + 4, length + 4));
    at += 12 + length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::vector<std::uint8_t> png(bytes, bytes + size);
  put_checksums_right(png);
  const int orientation = gpueval::data::png_orientation(png);
  if (orientation < 1 || orientation > 8) std::abort();
  // What a picture of millions of pixels costs is no news, and would leave no time for others.
  if (size >= 24 && std::uint64_t{png_get_uint_32(png.data() + 16)} * png_get_uint_32(png.data() + 20) > 1'000'000)
    return 0;
  try {
    const gpueval::Image image = gpueval::decode_png(png, "fuzz.png");
    if (image.width <= 0 || image.height <= 0) std::abort();
    if (image.rgb.size() != 3 * static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height))
      std::abort();
  } catch (const gpueval::Error&) {
    // Refused, in a sentence: what is wanted of a damaged file.
  }
  return 0;
}
