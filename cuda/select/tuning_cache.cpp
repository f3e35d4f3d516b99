// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/tuning_cache.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <utility>

#include "core/cache_folder.h"
#include "core/sha256.h"
#include "cuda/select/device_file.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

using nlohmann::json;

constexpr const char* kKind = "tuning cache";

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
  json problems;
  try {
    problems = read_device_file(path_, key_, kKind);
  } catch (const Error& error) {
    notes_.push_back(fmt::format("tuning cache ignored: {}", error.what()));
    return;
  }
  for (const auto& [problem_text, kernels] : problems.items()) {
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
    write_device_file(path_, key_, json(times_), kKind);
  } catch (const Error& error) {
    path_.clear();  // said once, not after every layer
    notes_.push_back(fmt::format("tuning cache could not be written: {}", error.what()));
  }
}

}  // namespace gpueval::cuda
