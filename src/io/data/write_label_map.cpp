// SPDX-License-Identifier: Apache-2.0
#include "io/data/write_label_map.h"

#include <array>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/output_file.h"
#include "gpueval/error.h"
#include "io/data/palette_png.h"

namespace gpueval {
namespace {

// The bits of a class's number, from the lowest, go to red, green and blue in turn, each to its highest bit left.
std::array<std::uint8_t, 3> voc_color(int index) {
  std::array<std::uint8_t, 3> color{};
  for (int bit = 7; index != 0; --bit, index >>= 3) {
    for (int c = 0; c < 3; ++c)
      color[static_cast<std::size_t>(c)] |= static_cast<std::uint8_t>((index >> c & 1) << bit);
  }
  return color;
}

std::array<std::uint8_t, 256 * 3> voc_palette() {
  std::array<std::uint8_t, 256 * 3> palette{};
  for (int i = 0; i < 256; ++i) std::memcpy(&palette[static_cast<std::size_t>(3 * i)], voc_color(i).data(), 3);
  return palette;
}

}  // namespace

void write_label_map(const std::string& path, const LabelMap& map) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) fail_file("{}: cannot be made: {}", folder.string(), error.message());
  const std::vector<std::uint8_t> png = encode_palette_png(map, voc_palette(), path + ":");
  OutputFile file(path);
  file.write(std::as_bytes(std::span(png)));
  file.commit();
}

}  // namespace gpueval
