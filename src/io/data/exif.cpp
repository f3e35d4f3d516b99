// SPDX-License-Identifier: Apache-2.0
#include "io/data/exif.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace gpueval::data {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::uint32_t read_number(Bytes bytes, std::size_t at, std::size_t size, bool big_endian) {
  if (at > bytes.size() || size > bytes.size() - at) return 0;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = (value << 8) | bytes[at + (big_endian ? i : size - 1 - i)];
  return value;
}

// A TIFF header and its first directory: 12-byte entries of tag, type, count, value.
int tiff_orientation(Bytes tiff) {
  constexpr std::uint32_t kOrientationTag = 0x0112;
  if (tiff.size() < 8) return 1;
  const bool big_endian = tiff[0] == 'M';
  if (tiff[0] != tiff[1] || (tiff[0] != 'M' && tiff[0] != 'I') || read_number(tiff, 2, 2, big_endian) != 42) return 1;
  const std::size_t directory = read_number(tiff, 4, 4, big_endian);
  const std::uint32_t entries = read_number(tiff, directory, 2, big_endian);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + std::size_t{12} * i;
    if (read_number(tiff, entry, 2, big_endian) != kOrientationTag) continue;
    const std::uint32_t value = read_number(tiff, entry + 8, 2, big_endian);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

int exif_orientation(Bytes jpeg) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  std::size_t at = 2;  // behind SOI
  while (at + 4 <= jpeg.size() && jpeg[at] == 0xff) {
    const std::uint8_t marker = jpeg[at + 1];
    if (marker == 0xff) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0xda || marker == 0xd9) break;  // the picture begins: nothing behind it counts
    const std::size_t length = read_number(jpeg, at + 2, 2, true);
    if (length < 2 || length > jpeg.size() - at - 2) break;
    const Bytes body = jpeg.subspan(at + 4, length - 2);
    if (marker == 0xe1 && body.size() > kExif.size() && std::equal(kExif.begin(), kExif.end(), body.begin())) {
      return tiff_orientation(body.subspan(kExif.size()));
    }
    at += 2 + length;
  }
  return 1;
}

// Chunks of length, type, data and checksum behind eight bytes of signature.
int png_orientation(Bytes png) {
  constexpr std::string_view kExif = "eXIf", kEnd = "IEND";
  constexpr std::size_t kFrame = 12;
  for (std::size_t at = 8; at + kFrame <= png.size();) {
    const std::size_t length = read_number(png, at, 4, true);
    const auto is = [type = png.subspan(at + 4, 4)](std::string_view name) {
      return std::equal(name.begin(), name.end(), type.begin());
    };
    if (is(kEnd) || length > png.size() - at - kFrame) break;
    if (is(kExif)) return tiff_orientation(png.subspan(at + 8, length));
    at += kFrame + length;
  }
  return 1;
}

Image apply_orientation(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transpose = orientation >= 5;
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;  // of the source
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image result{image.height, image.width, std::vector<std::uint8_t>(image.rgb.size())};
  if (transpose) std::swap(result.height, result.width);
  auto dst = result.rgb.begin();
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x, dst += 3) {
      const int across = transpose ? y : x, down = transpose ? x : y;
      const int sx = flip_x ? image.width - 1 - across : across;
      const int sy = flip_y ? image.height - 1 - down : down;
      std::copy_n(image.rgb.begin() + (static_cast<std::ptrdiff_t>(sy) * image.width + sx) * 3, 3, dst);
    }
  }
  return result;
}

}  // namespace gpueval::data
