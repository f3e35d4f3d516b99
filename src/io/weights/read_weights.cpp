// SPDX-License-Identifier: Apache-2.0
#include "io/weights/read_weights.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "core/sha256.h"
#include "gpueval/error.h"
#include "io/weights/hdf5_file.h"
#include "io/weights/keras_layout.h"
#include "io/weights/layer_names.h"
#include "io/weights/rehearse.h"
#include "io/weights/zip_archive.h"

namespace gpueval {
namespace {

constexpr std::string_view kHdf5 = "\x89HDF\r\n\x1a\n";
constexpr std::string_view kZip = "PK\x03\x04";

template <typename Open>
void read_twice(const std::string& name, std::uint64_t bytes, const Open& open, WeightFile& out) {
  rehearse(name, bytes, [&] {
    WeightFile discarded;
    Hdf5File file = open(Hdf5File::Depth::kStructure);
    read_keras_layout(file, discarded);
  });
  Hdf5File file = open(Hdf5File::Depth::kAll);
  read_keras_layout(file, out);
}

void read_image(std::span<const std::byte> bytes, const std::string& name, WeightFile& out) {
  read_twice(
      name, bytes.size(), [&](Hdf5File::Depth depth) { return Hdf5File::open_image(bytes, name, depth); }, out);
}

void read_archive(const std::string& name, std::optional<std::span<const std::byte>> bytes, WeightFile& out) {
  const std::vector<std::byte> image = read_zip_entry(name, bytes, "model.weights.h5");
  read_image(image, name, out);
  out.format = "keras3-archive";
}

[[noreturn]] void fail_foreign(const std::string& name) {
  fail("{}: expected Keras weights (HDF5 or a .keras archive), found a file of another kind", name);
}

}  // namespace

WeightFile read_weight_bytes(std::span<const std::byte> bytes, const std::string& name) {
  WeightFile out;
  out.path = name;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(kZip)) {
    read_archive(name, bytes, out);
  } else if (text.starts_with(kHdf5)) {
    read_image(bytes, name, out);
  } else {
    fail_foreign(name);
  }
  return out;
}

WeightFile read_weight_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) fail("{}: there is no such weight file", path);
  if (!std::filesystem::is_regular_file(status)) fail("{}: expected a weight file, found something else", path);
  std::array<char, 8> head{};
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail("{}: the weight file cannot be opened for reading", path);
  stream.read(head.data(), head.size());
  const std::string_view text(head.data(), static_cast<std::size_t>(stream.gcount()));
  if (text.empty()) fail("{}: expected Keras weights, found an empty file; fetch it again", path);

  WeightFile out;
  out.path = path;
  if (text.starts_with(kZip)) {
    read_archive(path, std::nullopt, out);
  } else if (text.starts_with(kHdf5)) {
    read_twice(
        path, std::filesystem::file_size(path), [&](Hdf5File::Depth depth) { return Hdf5File::open(path, depth); },
        out);
  } else {
    fail_foreign(path);
  }
  out.sha256 = sha256_file(path);
  return out;
}

bool WeightFile::has_layer(std::string_view name) const {
  return std::any_of(layers.begin(), layers.end(), [wanted = normalized_name(name)](const WeightLayer& layer) {
    return normalized_name(layer.name) == wanted;
  });
}

}  // namespace gpueval
