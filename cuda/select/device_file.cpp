// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/device_file.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "core/cache_folder.h"
#include "core/json_text.h"
#include "core/output_file.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kSchema = 1;

constexpr std::uint64_t kMostBytes = 64 << 20;

// Error if there is something that is not a plain file of this user's own.
bool exists(const std::string& path) {
  const int descriptor = open_private_file(path, PrivateAccess::kRead);
  return descriptor >= 0 && ::close(descriptor) == 0;
}

// All devices of the file; of a missing one none. Error if it is none of ours.
json read_devices(const std::string& path, const char* kind) {
  if (!exists(path)) return json::object();
  json file = read_json(path, kMostBytes);
  if (!file.is_object() || !file.contains("schema") || file["schema"] != kSchema || !file.contains("devices") ||
      !file["devices"].is_object()) {
    fail("{}: it is not a {} of this version", path, kind);
  }
  return std::move(file["devices"]);
}

// The cache folder is for this user alone; the folder of a file that was named is the user's affair.
void make_folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  if (folder == cache_folder()) return make_private_folder(folder);
  std::error_code ignored;  // writing tells what matters
  if (!folder.empty()) fs::create_directories(folder, ignored);
}

// "NVIDIA H200, driver 13.0, kernels 01ab" -> "NVIDIA H200, driver 13.0"
std::string without_kernels(const std::string& key) { return key.substr(0, key.rfind(", kernels ")); }

}  // namespace

json read_device_file(const std::string& path, const std::string& key, const char* kind) {
  const json devices = read_devices(path, kind);
  return devices.contains(key) ? devices[key] : json();
}

void write_device_file(const std::string& path, const std::string& key, const json& entry, const char* kind) {
  exists(path);  // nothing but a file of this user is replaced
  json devices = json::object();
  try {
    devices = read_devices(path, kind);
  } catch (const Error&) {  // told when it was read; it is replaced
  }
  json kept = json::object();
  for (const auto& [name, found] : devices.items()) {
    if (name == key || without_kernels(name) != without_kernels(key)) kept[name] = found;
  }
  kept[key].merge_patch(entry);
  const json file = {{"schema", kSchema}, {"devices", std::move(kept)}};
  make_folder_of(path);
  write_file(path, json_text(file, 1) + '\n');
}

}  // namespace gpueval::cuda
