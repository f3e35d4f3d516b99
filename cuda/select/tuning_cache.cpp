// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/tuning_cache.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "core/cache_folder.h"
#include "core/json_text.h"
#include "core/output_file.h"
#include "core/sha256.h"
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

// The file as JSON. A missing one is an empty object; Error if it is none of ours.
json read_file(const std::string& path) {
  if (!exists(path)) return json::object();
  json file = read_json(path, kMostBytes);
  if (!file.is_object() || !file.contains("schema") || file["schema"] != kSchema || !file.contains("devices") ||
      !file["devices"].is_object()) {
    fail("{}: it is not a tuning cache of this version", path);
  }
  return file;
}

// One in its own folder is for this user alone; the folder of one that was named is the user's affair.
void make_folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  if (path == default_tuning_path() && std::getenv("GPUEVAL_TUNING_CACHE") == nullptr)
    return make_private_folder(folder);
  std::error_code ignored;  // writing tells what matters
  if (!folder.empty()) fs::create_directories(folder, ignored);
}

// "NVIDIA H200, driver 13.0, kernels 01ab" -> "NVIDIA H200, driver 13.0"
std::string without_kernels(const std::string& key) { return key.substr(0, key.rfind(", kernels ")); }

}  // namespace

std::string tuning_key(const DeviceProperties& device, std::span<const ConvKernel> rows, const std::string& revision) {
  std::string table = revision;
  for (const ConvKernel& row : rows) table += fmt::format("\n{} {} {}", row.name, row.min_sm, row.max_sm);
  Sha256 hash;
  hash.update(table);
  return fmt::format("{}, driver {}, kernels {}", device.name, device.driver, hash.hex().substr(0, 12));
}

std::string default_tuning_path() {
  if (const char* path = std::getenv("GPUEVAL_TUNING_CACHE")) return path;
  const std::string folder = cache_folder();
  return folder.empty() ? "" : folder + "/tuning.json";
}

TuningCache::TuningCache(std::string path, std::string key) : path_(std::move(path)), key_(std::move(key)) {
  if (path_.empty()) return;
  json file;
  try {
    file = read_file(path_);
  } catch (const Error& error) {
    notes_.push_back(fmt::format("tuning cache ignored: {}", error.what()));
    return;
  }
  if (!file.contains("devices") || !file["devices"].contains(key_)) return;
  for (const auto& [problem_text, kernels] : file["devices"][key_].items()) {
    if (!kernels.is_object()) continue;
    for (const auto& [kernel, microseconds] : kernels.items()) {
      if (!microseconds.is_number()) continue;
      const double value = microseconds.get<double>();
      if (std::isfinite(value) && value > 0) times_[problem_text][kernel] = value;
    }
  }
}

std::optional<double> TuningCache::find(const std::string& problem, const std::string& kernel) const {
  const auto row = times_.find(problem);
  if (row == times_.end()) return std::nullopt;
  const auto time = row->second.find(kernel);
  return time == row->second.end() ? std::nullopt : std::optional(time->second);
}

void TuningCache::store(const std::string& problem, const std::string& kernel, double microseconds) {
  times_[problem][kernel] = microseconds;
  changed_ = true;
}

void TuningCache::save() {
  if (!changed_ || path_.empty()) return;
  changed_ = false;
  try {
    write_merged();
  } catch (const Error& error) {
    path_.clear();  // said once, not after every layer
    notes_.push_back(fmt::format("tuning cache could not be written: {}", error.what()));
  }
}

void TuningCache::write_merged() const {
  exists(path_);  // nothing but a file of this user is replaced
  json file = json::object();
  try {
    file = read_file(path_);
  } catch (const Error&) {  // told when it was read; it is replaced
  }
  json& devices = file["devices"];
  if (!devices.is_object()) devices = json::object();
  json kept = json::object();  // other GPUs and drivers; this one's older kernels are gone for good
  for (const auto& [key, times] : devices.items()) {
    if (key == key_ || without_kernels(key) != without_kernels(key_)) kept[key] = times;
  }
  for (const auto& [problem, kernels] : times_) {
    for (const auto& [kernel, microseconds] : kernels) kept[key_][problem][kernel] = microseconds;
  }
  file = {{"schema", kSchema}, {"devices", std::move(kept)}};

  make_folder_of(path_);
  write_file(path_, json_text(file, 1) + '\n');
}

}  // namespace gpueval::cuda
