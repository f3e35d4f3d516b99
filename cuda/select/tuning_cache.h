// SPDX-License-Identifier: Apache-2.0
// Measured kernel times, kept between runs in a JSON file:
//   {"schema": 1, "devices": {KEY: {PROBLEM: {KERNEL: microseconds}}}}
// PROBLEM: a convolution, and for the plans of cuDNN and cuBLASLt the library with its version in front.
// KEY names GPU, driver and kernels, so that times of another machine or build are never used. A file that is missing,
// damaged, another user's, a link or of another kind is as good as an empty one: a note says so, nothing fails.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cuda/conv/conv_kernel.h"
#include "cuda/runtime/runtime.h"

namespace gpueval::cuda {

// "NVIDIA H200, driver 13.0, kernels 0123456789ab": the hash is of the rows' names and the build's revision.
std::string tuning_key(const DeviceProperties& device, std::span<const ConvKernel> rows, const std::string& revision);
std::string build_revision();

// $GPUEVAL_TUNING_CACHE, else tuning.json in the cache folder (core/cache_folder.h); empty: keep nothing.
std::string default_tuning_path();

class TuningCache {
 public:
  // path: empty = in memory only.
  TuningCache(std::string path, std::string key);
  std::optional<double> find(const std::string& problem, const std::string& kernel) const;
  bool has(const std::string& problem) const { return times_.contains(problem); }
  void store(const std::string& problem, const std::string& kernel, double microseconds);
  // Writes what is new together with what the file holds by now, atomically (a temporary file, renamed).
  void save();
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  using Times = std::map<std::string, std::map<std::string, double>>;  // problem -> kernel -> microseconds
  std::string path_, key_;
  Times times_;
  bool changed_ = false;
  std::vector<std::string> notes_;
};

}  // namespace gpueval::cuda
