// SPDX-License-Identifier: Apache-2.0
#include "io/data/bad_image.h"
#include "io/data/byte_source.h"
#include "io/data/encoded_file.h"
#include "io/data/picture_kind.h"

namespace gpueval {

Image decode_picture(std::span<const std::uint8_t> bytes, const std::string& name) {
  switch (data::picture_kind(bytes)) {
    case data::PictureKind::kJpeg:
      return decode_jpeg(bytes, name);
    case data::PictureKind::kPng:
      return decode_png(bytes, name);
    case data::PictureKind::kOther:
      break;
  }
  data::bad_image("{}: expected a JPEG or PNG image, found {}", name, data::describe_picture(bytes));
}

std::vector<std::uint8_t> data::read_encoded(const std::string& path, const DecodeMemory& memory) {
  const FileSource file(path);
  constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 28;
  if (file.size() > kMaxBytes) {
    bad_image("{}: {} bytes, expected an image of at most {}", path, file.size(), kMaxBytes);
  }
  memory.reserve_file(file.size());
  std::vector<std::uint8_t> bytes(file.size());
  file.read(0, bytes);
  return bytes;
}

Image read_image(const std::string& path) {
  const data::DecodeMemory memory;
  return decode_picture(data::read_encoded(path, memory), path);
}

}  // namespace gpueval
