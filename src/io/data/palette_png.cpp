// SPDX-License-Identifier: Apache-2.0
#include "io/data/palette_png.h"

#include <png.h>

#include <cstring>

#include "gpueval/error.h"

namespace gpueval {

std::vector<std::uint8_t> encode_palette_png(const LabelMap& map, std::span<const std::uint8_t> palette,
                                             const std::string& what) {
  constexpr std::size_t kColors = 256;
  GPUEVAL_CHECK(palette.size() == 3 * kColors || palette.size() == 4 * kColors, "a palette of {} bytes",
                palette.size());
  png_image image;
  std::memset(&image, 0, sizeof(image));
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(map.width);
  image.height = static_cast<png_uint_32>(map.height);
  image.format = palette.size() == 4 * kColors ? PNG_FORMAT_RGBA_COLORMAP : PNG_FORMAT_RGB_COLORMAP;
  image.colormap_entries = kColors;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::uint8_t> file(bytes);
  if (png_image_write_to_memory(&image, file.data(), &bytes, 0, map.classes.data(), map.width, palette.data()) == 0)
    fail("{} cannot be made a PNG: {}", what, image.message);
  file.resize(bytes);
  return file;
}

}  // namespace gpueval
