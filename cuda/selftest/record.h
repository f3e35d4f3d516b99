// SPDX-License-Identifier: Apache-2.0
// What the self-test found, kept between runs beside the tuning cache, by GPU, driver and build (select/device_file.h):
//   {"schema": 1, "devices": {KEY: {"conv_s8_dp4a_split": "equal", "conv_s8_mma_64x64x64": "failed: first difference at
//   ..."}}}
// A file that is damaged, another user's, a link or of another kind is as good as none, and a note says so; a kernel
// whose verdict is damaged counts as untested. What cannot be written holds until this process ends.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gpueval::cuda {

// selftest.json beside default_tuning_path(); empty where that is.
std::string default_selftest_path();

class SelftestRecord {
 public:
  // path: empty = this process alone. key: tuning_key().
  SelftestRecord(std::string path, std::string key);
  bool tested(const std::string& name) const { return verdicts_.contains(name); }
  // What went wrong with a kernel or an operation; nothing where it was equal or was not tested.
  std::optional<std::string> failure(const std::string& name) const;
  const std::map<std::string, std::string>& failures() const { return failures_; }
  // failure: empty = equal.
  void store(const std::string& name, const std::string& failure);
  // Writes what is new together with what the file holds by now, atomically; where that fails, a note says why.
  void save();
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::string path_, key_;
  std::map<std::string, std::string> verdicts_;  // as in the file
  std::map<std::string, std::string> failures_;
  std::vector<std::string> notes_;
};

}  // namespace gpueval::cuda
