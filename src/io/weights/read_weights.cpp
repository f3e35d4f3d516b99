// SPDX-License-Identifier: Apache-2.0
#include "io/weights/read_weights.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "core/input_file.h"
#include "core/json_text.h"
#include "core/sha256.h"
#include "gpueval/error.h"
#include "io/weights/foreign_file.h"
#include "io/weights/hdf5_file.h"
#include "io/weights/keras_file.h"
#include "io/weights/keras_layout.h"
#include "io/weights/layer_names.h"
#include "io/weights/name_layers.h"
#include "io/weights/rehearse.h"
#include "io/weights/shards.h"
#include "io/weights/zip_archive.h"

namespace gpueval {
namespace {

constexpr std::string_view kHdf5 = "\x89HDF\r\n\x1a\n";
constexpr std::string_view kZip = "PK\x03\x04";
using Bytes = std::span<const std::byte>;

// What is made of a file. Both are called in a child process, too, whose results are lost.
struct Readers {
  std::function<void(Hdf5File&)> layout;
  std::function<void(const std::string& config, const std::string& metadata)>
      description;  // of an archive; JSON, or ""
};

template <typename Open>
void read_twice(const std::string& name, std::uint64_t bytes, const Open& open, const Readers& reader) {
  rehearse(name, bytes, [&] {
    Hdf5File file = open(Hdf5File::Depth::kStructure);
    reader.layout(file);
  });
  Hdf5File file = open(Hdf5File::Depth::kAll);
  reader.layout(file);
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
void read_archive(const std::string& name, std::uint64_t bytes, std::optional<Bytes> memory, const Readers& reader) {
  const ArchiveFacts facts = parse_facts(answer_of_child(name, bytes, [&] { return look_into(name, bytes, memory); }));
  reader.description(facts.config, facts.metadata);
  if (facts.weights_bytes == 0) fail("{}: '{}' in the archive is empty; fetch it again", name, kWeights);
  const SharedMemory image(facts.weights_bytes, name);
  const auto open = [&](Hdf5File::Depth depth) {
    return Hdf5File::open_image(image.span(), name, depth, unpacked_limit(bytes));
  };
  rehearse(name, bytes, [&] {
    ZipArchive(name, bytes, memory).unpack(kWeights, image.span());
    Hdf5File file = open(Hdf5File::Depth::kStructure);
    reader.layout(file);
  });
  Hdf5File file = open(Hdf5File::Depth::kAll);
  reader.layout(file);
}

[[noreturn]] void fail_foreign(std::string_view head, const std::string& name) {
  fail("{}: expected Keras weights (HDF5 or a .keras archive), found a file of another kind: {}", name,
       kind_of_foreign_file(head, name));
}

std::string version_of(const std::string& metadata, const std::string& name) {
  if (metadata.empty()) return "";
  const nlohmann::json json = parse_json(metadata, name + ": metadata.json");
  const auto version = json.find("keras_version");
  return version != json.end() && version->is_string() ? version->get<std::string>() : "";
}

enum class Container { kHdf5File, kZipFile };

Container read_bytes(std::span<const std::byte> bytes, const std::string& name, const Readers& reader) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(kZip)) {
    read_archive(name, bytes.size(), bytes, reader);
    return Container::kZipFile;
  }
  if (!text.starts_with(kHdf5)) fail_foreign(text.substr(0, kHeadBytes), name);
  const auto open = [&](Hdf5File::Depth depth) {
    return Hdf5File::open_image(bytes, name, depth, unpacked_limit(bytes.size()));
  };
  read_twice(name, bytes.size(), open, reader);
  return Container::kHdf5File;
}

// The first bytes of a file. Error where there is none, or an empty one.
std::string first_bytes(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) fail("{}: there is no such weight file", path);
  if (std::filesystem::is_directory(status)) {
    fail("{}: expected a weight file, found {}", path, kind_of_foreign_folder(path));
  }
  const InputFile input(path);
  std::string head(std::min<std::uint64_t>(input.size(), kHeadBytes), '\0');
  input.read(0, {reinterpret_cast<std::uint8_t*>(head.data()), head.size()});
  if (head.empty()) fail("{}: expected Keras weights, found an empty file; fetch it again", path);
  return head;
}

void read_hdf5(const std::string& head, const std::string& path, const Readers& reader) {
  if (!head.starts_with(kHdf5)) fail_foreign(head, path);
  read_twice(
      path, InputFile(path).size(), [&](Hdf5File::Depth depth) { return Hdf5File::open(path, depth); }, reader);
}

Container read_file(const std::string& path, const Readers& reader) {
  const std::string head = first_bytes(path);
  if (head.starts_with(kZip)) {
    read_archive(path, InputFile(path).size(), std::nullopt, reader);
    return Container::kZipFile;
  }
  read_hdf5(head, path, reader);
  return Container::kHdf5File;
}

// Of weights that are split over several files; nullopt: the file is no such index.
std::optional<ShardIndex> index_in(const std::string& path) {
  const std::string head = first_bytes(path);
  if (head.starts_with(kZip) || head.starts_with(kHdf5) || !may_be_index(head, path)) return std::nullopt;
  return read_shard_index(path);
}

WeightFile read_shards(const ShardIndex& index) {
  std::vector<WeightFile> shards;
  for (const std::string& path : index.files) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
      fail("{}: names the file {}, which is not there; expected all files of one save in one folder", index.path, path);
    }
    WeightFile& shard = shards.emplace_back();
    read_hdf5(first_bytes(path), path,
              {.layout = [&](Hdf5File& file) { read_keras_shard(file, shard); }, .description = {}});
  }
  WeightFile out = join_shards(index, std::move(shards));
  out.sha256 = sha256_of(index);
  return out;
}

// read: read_file or read_bytes.
template <typename Read>
WeightFile read_weights(const std::string& name, const Read& read) {
  WeightFile out;
  out.path = name;
  const Container container = read(Readers{.layout = [&](Hdf5File& file) { read_keras_layout(file, out); },
                                           .description =
                                               [&](const std::string& config, const std::string& metadata) {
                                                 out.keras_version = version_of(metadata, name);
                                                 out.config = config;
                                               }});
  if (container == Container::kZipFile) {
    out.format = "keras3-archive";
    name_layers(out);
  }
  return out;
}

template <typename Read>
KerasFile read_model(const std::string& name, const Read& read) {
  KerasFile out;
  out.path = name;
  const auto describe = [&](const std::string& config, const std::string& metadata) {
    out.keras_version = version_of(metadata, name);
    out.config = config;
  };
  const Container container =
      read(Readers{.layout = [&](Hdf5File& file) { read_weight_tree(file, out); }, .description = describe});
  out.archive = container == Container::kZipFile;
  return out;
}

}  // namespace

WeightFile read_weight_bytes(std::span<const std::byte> bytes, const std::string& name) {
  return read_weights(name, [&](const Readers& reader) { return read_bytes(bytes, name, reader); });
}

WeightFile read_weight_file(const std::string& path) {
  if (const auto index = index_in(path)) return read_shards(*index);
  WeightFile out = read_weights(path, [&](const Readers& reader) { return read_file(path, reader); });
  out.sha256 = sha256_file(path);
  return out;
}

KerasFile read_keras_bytes(std::span<const std::byte> bytes, const std::string& name) {
  return read_model(name, [&](const Readers& reader) { return read_bytes(bytes, name, reader); });
}

KerasFile read_keras_file(const std::string& path) {
  if (index_in(path)) return {.path = path, .sha256 = {}, .keras_version = {}, .config = {}, .groups = {}};
  KerasFile out = read_model(path, [&](const Readers& reader) { return read_file(path, reader); });
  out.sha256 = sha256_file(path);
  return out;
}

bool WeightFile::has_layer(std::string_view name) const {
  return std::any_of(layers.begin(), layers.end(), [wanted = normalized_name(name)](const WeightLayer& layer) {
    return normalized_name(layer.name) == wanted;
  });
}

}  // namespace gpueval
