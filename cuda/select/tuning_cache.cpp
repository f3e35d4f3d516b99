// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/tuning_cache.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "core/sha256.h"

namespace gpueval::cuda {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kSchema = 1;

// The file as JSON; nullopt if it is none of ours, and *problem says why. A missing file is an empty object.
std::optional<json> read_file(const std::string& path, std::string* problem) {
  std::error_code error;
  if (!fs::exists(path, error)) return json::object();
  std::ifstream stream(path);
  json file = json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (file.is_discarded()) {
    *problem = "it is not JSON";
  } else if (!file.is_object() || !file.contains("schema") || file["schema"] != kSchema || !file.contains("devices") ||
             !file["devices"].is_object()) {
    *problem = "it is not a tuning cache of this version";
  } else {
    return file;
  }
  return std::nullopt;
}

// "NVIDIA H200, driver 13.0, kernels 01ab" -> "NVIDIA H200, driver 13.0"
std::string without_kernels(const std::string& key) { return key.substr(0, key.rfind(", kernels ")); }

}  // namespace

std::string tuning_key(const DeviceProperties& device, std::span<const ConvKernel> rows, const std::string& revision) {
  std::string table = revision;
  for (const ConvKernel& row : rows) table += fmt::format("\n{} {}", row.name, row.min_sm);
  Sha256 hash;
  hash.update(table);
  return fmt::format("{}, driver {}, kernels {}", device.name, device.driver, hash.hex().substr(0, 12));
}

std::string default_tuning_path() {
  if (const char* path = std::getenv("GPUEVAL_TUNING_CACHE")) return path;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return std::string(cache) + "/gpu_eval/tuning.json";
  }
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? std::string(home) + "/.cache/gpu_eval/tuning.json" : "";
}

TuningCache::TuningCache(std::string path, std::string key) : path_(std::move(path)), key_(std::move(key)) {
  if (path_.empty()) return;
  std::string problem;
  const std::optional<json> file = read_file(path_, &problem);
  if (!file) {
    notes_.push_back(fmt::format("tuning cache '{}' ignored: {}", path_, problem));
    return;
  }
  if (!file->contains("devices") || !(*file)["devices"].contains(key_)) return;
  for (const auto& [problem_text, kernels] : (*file)["devices"][key_].items()) {
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
  std::string ignored;
  json file = read_file(path_, &ignored).value_or(json::object());
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

  std::error_code error;
  fs::create_directories(fs::path(path_).parent_path(), error);
  const std::string temporary = fmt::format("{}.{}", path_, getpid());
  {
    std::ofstream stream(temporary);
    stream << file.dump(1) << '\n';
    stream.close();
    if (!stream) error = std::make_error_code(std::errc::io_error);
  }
  if (!error) fs::rename(temporary, path_, error);
  if (!error) return;
  notes_.push_back(fmt::format("tuning cache '{}' could not be written: {}", path_, error.message()));
  fs::remove(temporary, error);
}

}  // namespace gpueval::cuda
