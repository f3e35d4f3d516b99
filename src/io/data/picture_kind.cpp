// SPDX-License-Identifier: Apache-2.0
#include "io/data/picture_kind.h"

#include <algorithm>

namespace gpueval::data {
namespace {

struct Magic {
  std::string_view bytes, description;
  PictureKind kind = PictureKind::kOther;
};

constexpr Magic kMagics[] = {
    {"\xff\xd8\xff", "a JPEG image", PictureKind::kJpeg},
    {"\x89PNG\r\n\x1a\n", "a PNG image", PictureKind::kPng},
    {"\x89PNG", "a PNG image whose first bytes were changed, as by a transfer as text"},
    {"GIF8", "a GIF image"},
    {"BM", "a BMP image"},
    {"RIFF", "a RIFF (WebP) file"},
};

const Magic* magic_of(std::span<const std::uint8_t> bytes) {
  for (const Magic& magic : kMagics) {
    if (bytes.size() >= magic.bytes.size() &&
        std::equal(magic.bytes.begin(), magic.bytes.end(), bytes.begin(),
                   [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; })) {
      return &magic;
    }
  }
  return nullptr;
}

}  // namespace

PictureKind picture_kind(std::span<const std::uint8_t> bytes) {
  const Magic* magic = magic_of(bytes);
  return magic == nullptr ? PictureKind::kOther : magic->kind;
}

std::string_view describe_picture(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return "nothing";
  const Magic* magic = magic_of(bytes);
  return magic == nullptr ? "something else" : magic->description;
}

}  // namespace gpueval::data
