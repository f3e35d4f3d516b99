// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/picture_size.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/input_file.h"
#include "io/data/exif.h"
#include "io/data/picture_kind.h"

namespace gpueval::data {
namespace {

using EncodedPicture = std::span<const std::uint8_t>;
constexpr std::size_t kPngSize = 24;  // signature, length and type of the first chunk, width and height

int whole_at(EncodedPicture bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
  return value > 0x7fffffff ? 0 : static_cast<int>(value);
}

// SOF0 to SOF15, which hold the size; DHT, JPG and DAC lie between them.
bool holds_size(std::uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

PictureSize jpeg_size(EncodedPicture jpeg) {
  for (std::size_t at = 2; at + 9 <= jpeg.size() && jpeg[at] == 0xff;) {
    const std::uint8_t marker = jpeg[at + 1];
    if (marker == 0xff) {  // fill byte
      ++at;
      continue;
    }
    if (holds_size(marker)) return {whole_at(jpeg, at + 7, 2), whole_at(jpeg, at + 5, 2)};
    at += 2 + static_cast<std::size_t>(whole_at(jpeg, at + 2, 2));
  }
  return {};
}

}  // namespace

std::string to_string(const PictureSize& size) { return fmt::format("{} x {}", size.width, size.height); }

PictureSize stored_size(EncodedPicture picture) {
  switch (picture_kind(picture)) {
    case PictureKind::kJpeg:
      return jpeg_size(picture);
    case PictureKind::kPng:
      return picture.size() < kPngSize ? PictureSize{}
                                       : PictureSize{whole_at(picture, 16, 4), whole_at(picture, 20, 4)};
    default:
      return {};
  }
}

PictureSize png_size(const std::string& path) {
  const InputFile file(path);
  if (file.size() < kPngSize) return {};
  std::array<std::uint8_t, kPngSize> first{};
  file.read(0, first);
  return stored_size(first);
}

int stored_orientation(EncodedPicture picture) {
  return picture_kind(picture) == PictureKind::kPng ? png_orientation(picture) : exif_orientation(picture);
}

bool fit_orientation(Image& image, int orientation, const PictureSize& wanted) {
  const PictureSize found{image.width, image.height};
  if (found == wanted) return true;
  if (orientation < 5 || found.turned() != wanted) return false;
  constexpr int kBack[] = {5, 8, 7, 6};  // a quarter turn is undone by the opposite one
  image = apply_orientation(std::move(image), kBack[orientation - 5]);
  return true;
}

}  // namespace gpueval::data
