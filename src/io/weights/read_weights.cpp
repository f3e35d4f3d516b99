// SPDX-License-Identifier: Apache-2.0
#include "io/weights/read_weights.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "core/input_file.h"
#include "core/json_text.h"
#include "core/sha256.h"
#include "gpueval/error.h"
#include "io/weights/foreign_file.h"
#include "io/weights/hdf5_file.h"
#include "io/weights/keras_layout.h"
#include "io/weights/layer_names.h"
#include "io/weights/model_config.h"
#include "io/weights/rehearse.h"
#include "io/weights/zip_archive.h"

namespace gpueval {
namespace {

constexpr std::string_view kHdf5 = "\x89HDF\r\n\x1a\n";
constexpr std::string_view kZip = "PK\x03\x04";
using Bytes = std::span<const std::byte>;

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

// Memory that a child fills and this process reads, so that nothing is unpacked twice.
class SharedMemory {
 public:
  SharedMemory(std::uint64_t bytes, const std::string& name) : bytes_(bytes) {
    memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory_ == MAP_FAILED) fail("{}: no memory for {} bytes: {}", name, bytes, system_message(errno));
  }
  ~SharedMemory() { munmap(memory_, bytes_); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  std::span<std::byte> span() const { return {static_cast<std::byte*>(memory_), bytes_}; }

 private:
  void* memory_;
  std::uint64_t bytes_;
};

struct ArchiveFacts {
  std::uint64_t weights_bytes = 0;
  std::string config, metadata;  // JSON; empty if they are absent
};

std::string kind_of_foreign_zip(const ZipArchive& archive) {
  struct Kind {
    const char *end, *kind;
  };
  for (const auto& [end, kind] :
       {Kind{"model.weights.json", "a .keras archive whose weights are split over several files; save it in one"},
        Kind{"data.pkl", "a PyTorch file; export the weights from Keras"},
        Kind{"saved_model.pb", "a zipped TensorFlow SavedModel; load it in Keras and save a .keras file"},
        Kind{".npy", "a NumPy archive, which does not say which layer its arrays are of"},
        Kind{".h5", "a zip file with a weight file in it; unpack it first"},
        Kind{".keras", "a zip file with a .keras archive in it; unpack it first"},
        Kind{".tflite", "a zip file with a TensorFlow Lite model in it"}}) {
    if (!archive.find_ending(end).empty()) return kind;
  }
  return "a zip file without 'model.weights.h5'";
}

constexpr const char* kWeights = "model.weights.h5";

std::string look_into(const std::string& name, std::uint64_t bytes, std::optional<Bytes> memory) {
  const ZipArchive archive(name, bytes, memory);
  if (!archive.has(kWeights)) fail("{}: expected a .keras archive, found {}", name, kind_of_foreign_zip(archive));
  const std::uint64_t size = archive.size(kWeights);
  const auto text = [&](const char* entry) {
    return archive.has(entry) ? archive.text(entry, kMaxConfigBytes) : std::string();
  };
  const std::string config = text("config.json");
  const std::uint64_t config_bytes = config.size();
  std::string answer(2 * sizeof size, '\0');
  std::memcpy(answer.data(), &size, sizeof size);
  std::memcpy(answer.data() + sizeof size, &config_bytes, sizeof config_bytes);
  return answer + config + text("metadata.json");
}

ArchiveFacts parse_facts(const std::string& answer) {
  ArchiveFacts facts;
  std::uint64_t config_bytes = 0;
  constexpr std::size_t kNumber = sizeof config_bytes;
  GPUEVAL_CHECK(answer.size() >= 2 * kNumber, "an answer of {} bytes", answer.size());
  std::memcpy(&facts.weights_bytes, answer.data(), kNumber);
  std::memcpy(&config_bytes, answer.data() + kNumber, kNumber);
  GPUEVAL_CHECK(config_bytes <= answer.size() - 2 * kNumber, "{} of {} bytes", config_bytes, answer.size());
  facts.config = answer.substr(2 * kNumber, config_bytes);
  facts.metadata = answer.substr(2 * kNumber + config_bytes);
  return facts;
}

// libzip and libhdf5 see the archive in child processes first; this one gets what they unpacked.
void read_archive(const std::string& name, std::uint64_t bytes, std::optional<Bytes> memory, WeightFile& out) {
  const ArchiveFacts facts = parse_facts(answer_of_child(name, bytes, [&] { return look_into(name, bytes, memory); }));
  if (!facts.metadata.empty()) {
    const nlohmann::json metadata = parse_json(facts.metadata, name + ": metadata.json");
    const auto version = metadata.find("keras_version");
    if (version != metadata.end() && version->is_string()) out.keras_version = version->get<std::string>();
  }
  if (!facts.config.empty()) read_model_config(facts.config, out);
  if (facts.weights_bytes == 0) fail("{}: '{}' in the archive is empty; fetch it again", name, kWeights);
  const SharedMemory image(facts.weights_bytes, name);
  const auto open = [&](Hdf5File::Depth depth) {
    return Hdf5File::open_image(image.span(), name, depth, unpacked_limit(bytes));
  };
  rehearse(name, bytes, [&] {
    ZipArchive(name, bytes, memory).unpack(kWeights, image.span());
    WeightFile discarded;
    Hdf5File file = open(Hdf5File::Depth::kStructure);
    read_keras_layout(file, discarded);
  });
  Hdf5File file = open(Hdf5File::Depth::kAll);
  read_keras_layout(file, out);
  out.format = "keras3-archive";
  name_layers_by_config(out);
}

[[noreturn]] void fail_foreign(std::string_view head, const std::string& name) {
  fail("{}: expected Keras weights (HDF5 or a .keras archive), found a file of another kind: {}", name,
       kind_of_foreign_file(head, name));
}

}  // namespace

WeightFile read_weight_bytes(std::span<const std::byte> bytes, const std::string& name) {
  WeightFile out;
  out.path = name;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(kZip)) {
    read_archive(name, bytes.size(), bytes, out);
  } else if (text.starts_with(kHdf5)) {
    const auto open = [&](Hdf5File::Depth depth) {
      return Hdf5File::open_image(bytes, name, depth, unpacked_limit(bytes.size()));
    };
    read_twice(name, bytes.size(), open, out);
  } else {
    fail_foreign(text.substr(0, kHeadBytes), name);
  }
  return out;
}

WeightFile read_weight_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) fail("{}: there is no such weight file", path);
  if (std::filesystem::is_directory(status)) {
    fail("{}: expected a weight file, found {}", path, kind_of_foreign_folder(path));
  }
  const InputFile input(path);
  std::string head(std::min<std::uint64_t>(input.size(), kHeadBytes), '\0');
  input.read(0, {reinterpret_cast<std::uint8_t*>(head.data()), head.size()});
  const std::string_view text = head;
  if (text.empty()) fail("{}: expected Keras weights, found an empty file; fetch it again", path);

  WeightFile out;
  out.path = path;
  if (text.starts_with(kZip)) {
    read_archive(path, input.size(), std::nullopt, out);
  } else if (text.starts_with(kHdf5)) {
    read_twice(
        path, input.size(), [&](Hdf5File::Depth depth) { return Hdf5File::open(path, depth); }, out);
  } else {
    fail_foreign(text, path);
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
