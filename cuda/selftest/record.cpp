// SPDX-License-Identifier: Apache-2.0
#include "cuda/selftest/record.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "cuda/select/device_file.h"
#include "cuda/select/tuning_cache.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

constexpr const char* kKind = "self-test record";
constexpr const char* kEqual = "equal";
constexpr std::string_view kFailed = "failed: ";
constexpr std::size_t kLongestSentence = 1000;

bool is_verdict(const nlohmann::json& value) {
  if (!value.is_string()) return false;
  const std::string text = value.get<std::string>();
  return text == kEqual || (text.starts_with(kFailed) && text.size() > kFailed.size());
}

// What this process could not write, by file and key.
std::map<std::pair<std::string, std::string>, nlohmann::json>& unwritten() {
  static std::map<std::pair<std::string, std::string>, nlohmann::json> all;
  return all;
}

}  // namespace

std::string default_selftest_path() {
  const std::string times = default_tuning_path();
  return times.empty() ? "" : std::filesystem::path(times).replace_filename("selftest.json").string();
}

SelftestRecord::SelftestRecord(std::string path, std::string key) : path_(std::move(path)), key_(std::move(key)) {
  nlohmann::json entry = nlohmann::json::object();
  try {
    if (!path_.empty()) entry = read_device_file(path_, key_, kKind);
  } catch (const Error& error) {
    notes_.push_back(fmt::format("{} ignored: {}", kKind, error.what()));
  }
  if (const auto own = unwritten().find({path_, key_}); own != unwritten().end()) entry.merge_patch(own->second);
  if (!entry.is_object()) return;
  for (const auto& [name, value] : entry.items()) {
    if (!is_verdict(value)) continue;
    const std::string verdict = value.get<std::string>();
    verdicts_[name] = verdict;
    if (verdict != kEqual) failures_[name] = verdict.substr(kFailed.size());
  }
}

std::optional<std::string> SelftestRecord::failure(const std::string& name) const {
  const auto found = failures_.find(name);
  return found == failures_.end() ? std::nullopt : std::optional(found->second);
}

void SelftestRecord::store(const std::string& name, const std::string& failure) {
  failures_.erase(name);
  if (!failure.empty()) failures_[name] = failure.substr(0, kLongestSentence);
  verdicts_[name] = failure.empty() ? kEqual : fmt::format("{}{}", kFailed, failures_[name]);
}

void SelftestRecord::save() {
  unwritten()[{path_, key_}] = verdicts_;
  if (path_.empty()) return;
  try {
    write_device_file(path_, key_, nlohmann::json(verdicts_), kKind);
    unwritten().erase({path_, key_});
  } catch (const Error& error) {
    notes_.push_back(fmt::format("{} could not be written: {}", kKind, error.what()));
  }
}

}  // namespace gpueval::cuda
