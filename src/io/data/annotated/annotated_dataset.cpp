// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/annotated_dataset.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/file_state.h"
#include "core/input_file.h"
#include "io/data/encoded_file.h"

namespace gpueval::data {

std::string AnnotatedPictures::file(std::size_t index) const {
  return (std::filesystem::path(path) / pictures.at(index)).string();
}

Image AnnotatedDataset::decode(std::size_t index) const {
  const std::string file = pictures_.file(index);
  if (!pictures_.stored) fail("{}: {} is not read, only the truth", path(), name(index));
  const DecodeMemory memory;
  const std::vector<std::uint8_t> bytes = read_encoded(file, memory);
  Image image = decode_picture(bytes, file);
  const PictureSize size = truth_size(index);
  if (!size.known() || fit_orientation(image, stored_orientation(bytes), size)) return image;
  fail("{}: is of a picture of {} pixels, but {} has {}", truth_file(index), to_string(size), file,
       to_string(PictureSize{image.width, image.height}));
}

std::uint64_t AnnotatedDataset::content_bytes(std::size_t index) const {
  if (!pictures_.stored) return 0;
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(pictures_.file(index), error);
  if (error) fail("{}: its size cannot be read: {}", pictures_.file(index), error.message());
  return bytes;
}

std::vector<std::uint8_t> AnnotatedDataset::content(std::size_t index) const {
  if (!pictures_.stored) return {};
  const InputFile source(pictures_.file(index));
  std::vector<std::uint8_t> bytes(source.size());
  source.read(0, bytes);
  return bytes;
}

std::string AnnotatedDataset::state() const {
  Sha256 sum;
  for (std::size_t i = 0; i < size(); ++i) {
    if (pictures_.stored) add_file_state(sum, name(i), pictures_.file(i));
  }
  for (const std::string& name : pictures_.classes) sum.update(fmt::format("{} {}\n", name.size(), name));
  add_state(sum);
  return sum.hex();
}

void add_file_state(Sha256& sum, const std::string& name, const std::string& path) {
  sum.update(fmt::format("{} {} {}\n", name.size(), name, file_state(path)));
}

}  // namespace gpueval::data
