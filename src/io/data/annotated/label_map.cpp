// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/label_map.h"

#include "gpueval/error.h"
#include "io/data/encoded_file.h"
#include "io/data/png_reader.h"

namespace gpueval::data {
namespace {

// Of two bytes a value, the upper one first, the lower ones.
void keep_lower_bytes(std::vector<std::uint8_t>& values, const std::string& name) {
  const std::size_t count = values.size() / 2;
  for (std::size_t i = 0; i < count; ++i) {
    if (values[2 * i] != 0) {
      fail("{}: expected class ids of at most 255, found {} in a grey PNG of 16 bits", name,
           256 * values[2 * i] + values[2 * i + 1]);
    }
    values[i] = values[2 * i + 1];
  }
  values.resize(count);
}

}  // namespace

LabelMap decode_label_map(std::span<const std::uint8_t> bytes, const std::string& name) {
  PngReader reader(bytes);
  read_png_header(reader, bytes, name);
  if (reader.colors() == PngColors::kOther)
    fail("{}: expected a palette or grey PNG of class ids, found one of colors or with alpha", name);
  const std::size_t height = reader.height(), width = reader.width(), stored = height * width * reader.value_bytes();
  const DecodeMemory memory;
  memory.reserve(stored);
  LabelMap map{static_cast<int>(height), static_cast<int>(width), std::vector<std::uint8_t>(stored)};
  const bool wide = reader.value_bytes() == 2;
  if (!reader.read_values(map.classes.data())) corrupt_png(reader, name);
  if (wide) keep_lower_bytes(map.classes, name);
  return map;
}

LabelMap read_label_map(const std::string& path) {
  const DecodeMemory memory;
  return decode_label_map(read_encoded(path, memory), path);
}

}  // namespace gpueval::data
