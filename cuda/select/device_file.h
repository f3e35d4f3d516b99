// SPDX-License-Identifier: Apache-2.0
// JSON files of what was found out about a device, kept between runs:
//   {"schema": 1, "devices": {KEY: {...}}}
// KEY: tuning_key(), which names GPU, driver and kernels, so that nothing of another machine or build is ever used.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace gpueval::cuda {

// What the file has of `key`; null where there is no file or nothing of it. Error if it is damaged, another user's, a
// link or of another kind; `kind` ("tuning cache") names it.
nlohmann::json read_device_file(const std::string& path, const std::string& key, const char* kind);

// Adds `entry`, an object, to what the file has of `key` by now and replaces the file atomically. Other GPUs and
// drivers stay, this one's older kernels go; a damaged file is replaced. Error if it is not a plain file of this user,
// or cannot be written.
void write_device_file(const std::string& path, const std::string& key, const nlohmann::json& entry, const char* kind);

}  // namespace gpueval::cuda
