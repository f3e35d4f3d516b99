// SPDX-License-Identifier: Apache-2.0
#include "io/data/decode_memory.h"
#include "io/data/exif.h"
#include "io/data/png_reader.h"

namespace gpueval {

Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name) {
  data::PngReader reader(bytes);
  data::read_png_header(reader, bytes, name);
  const std::size_t height = reader.height(), width = reader.width();
  const int orientation = data::png_orientation(bytes);
  const data::DecodeMemory memory;
  memory.reserve(height * width * (orientation > 1 ? 6 : 3));
  Image image{static_cast<int>(height), static_cast<int>(width), std::vector<std::uint8_t>(height * width * 3)};
  if (!reader.read_rgb(image.rgb.data())) data::corrupt_png(reader, name);
  return data::apply_orientation(std::move(image), orientation);
}

}  // namespace gpueval
