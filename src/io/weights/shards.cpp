// SPDX-License-Identifier: Apache-2.0
#include "io/weights/shards.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "core/json_fields.h"
#include "core/json_text.h"
#include "core/printable.h"
#include "core/sha256.h"
#include "gpueval/error.h"
#include "io/weights/foreign_file.h"
#include "io/weights/keras_file.h"
#include "io/weights/layer_names.h"

namespace gpueval {
namespace {

constexpr std::size_t kMaxShards = 10'000;
constexpr std::string_view kMap = "weight_map";

// Keras looks for the files in the folder of the index, whatever they are called; a name alone cannot leave it.
std::string path_beside(const ShardIndex& index, const std::string& key, const std::string& name) {
  const bool plain = !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
                     name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
  if (!plain) {
    fail("{}: '{}' is said to be in '{}', expected the name of a file in the folder of the index", index.path, key,
         printable(name));
  }
  return (std::filesystem::path(index.path).parent_path() / name).string();
}

// One name, or a list of them where a layer's weights were cut apart.
std::vector<std::string> names_of(const JsonFields& map, const std::string& key) {
  const nlohmann::json& value = map.json()[key];
  if (value.is_string()) return {value.get<std::string>()};
  if (!value.is_array() || value.empty()) map.refuse(key, "the name of a file, or a list of them");
  return map.texts(key);
}

std::string key_of(const std::string& group) { return fmt::format("/layers/{}/vars", group); }

bool names_file(const ShardIndex& index, const std::string& key, const std::string& file) {
  const auto found = index.map.find(key);
  return found != index.map.end() && std::find(found->second.begin(), found->second.end(), file) != found->second.end();
}

// An array that two files hold would be read by chance.
void join(WeightLayer& layer, WeightLayer part, const std::string& file) {
  if (layer.name.empty()) layer.name = part.name;
  for (WeightArray& array : part.arrays) {
    for (const WeightArray& other : layer.arrays) {
      if (other.name == array.name) {
        fail("{}: '{}/{}' stands in another file of the same weights, too", file, key_of(part.group), array.name);
      }
    }
    layer.arrays.push_back(std::move(array));
  }
}

void check_index(const ShardIndex& index, const std::set<std::pair<std::string, std::string>>& held) {
  for (const auto& [key, files] : index.map) {
    for (const std::string& file : files) {
      if (held.count({key, file}) == 0)
        fail("{}: '{}' should be in {}, which has no such weights", index.path, key, file);
    }
  }
}

}  // namespace

bool may_be_index(std::string_view head, const std::string& path) {
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  return path.ends_with(".weights.json") || (first != std::string_view::npos && head[first] == '{');
}

ShardIndex read_shard_index(const std::string& path) {
  const nlohmann::json json = read_json(path, kMaxConfigBytes);
  if (!json.is_object() || !json.contains(kMap)) {
    fail("{}: expected Keras weights or the index of some ({}), found {}", path, kMap,
         json.is_object() ? "a file of another kind: " + kind_of_foreign_file("{", path) : "other JSON");
  }
  const JsonFields map = JsonFields(json, path).object(kMap);
  ShardIndex index{.path = path, .files = {}, .map = {}};
  std::set<std::string> files;
  for (const std::string& key : map.keys()) {
    for (const std::string& name : names_of(map, key)) {
      const std::string file = path_beside(index, key, name);
      files.insert(file);
      if (!names_file(index, key, file)) index.map[key].push_back(file);
    }
  }
  index.files.assign(files.begin(), files.end());
  if (index.files.empty() || index.files.size() > kMaxShards) {
    fail("{}: the {} names {} files, expected 1 to {}", path, kMap, index.files.size(), kMaxShards);
  }
  return index;
}

WeightFile join_shards(const ShardIndex& index, std::vector<WeightFile> shards) {
  WeightFile out;
  std::map<std::pair<std::string, int>, WeightLayer> layers;  // as Keras numbers them
  std::set<std::pair<std::string, std::string>> held;         // {key, file}
  for (WeightFile& shard : shards) {
    for (WeightLayer& part : shard.layers) {
      const std::string key = key_of(part.group);
      if (!part.arrays.empty() && !names_file(index, key, shard.path)) {
        fail("{}: holds '{}', which {} does not look for there; are the files of one save?", shard.path, key,
             index.path);
      }
      if (!part.arrays.empty()) held.insert({key, shard.path});
      WeightLayer& layer = layers[split_number(part.group)];
      layer.group = part.group;
      join(layer, std::move(part), shard.path);
    }
    if (out.keras_version.empty()) out.keras_version = shard.keras_version;
  }
  check_index(index, held);
  for (auto& [number, layer] : layers) {
    std::sort(layer.arrays.begin(), layer.arrays.end(),
              [](const WeightArray& a, const WeightArray& b) { return std::stoi(a.name) < std::stoi(b.name); });
    if (!layer.arrays.empty()) out.layers.push_back(std::move(layer));
  }
  out.path = index.path;
  out.format = "keras3-weights";
  return out;
}

std::string sha256_of(const ShardIndex& index) {
  std::vector<std::string> files{index.path};
  files.insert(files.end(), index.files.begin(), index.files.end());
  return sha256_files(files);
}

}  // namespace gpueval
