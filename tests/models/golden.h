// SPDX-License-Identifier: Apache-2.0
// What tf-keras and Keras 3 computed for each network (scripts/make_model_goldens.py).
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "core/random.h"
#include "gpueval/models.h"

namespace gpueval {

struct Golden {
  std::string name;  // "resnet50_current"
  nlohmann::json json;

  Graph build() const {
    const ModelOptions options{.alpha = json.at("alpha"),
                               .variant = json.at("variant"),
                               .height = json.value("height", 0),
                               .width = json.value("width", 0)};
    return find_model(json.at("model")).build(options);
  }
};

inline void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.name; }

inline std::vector<Golden> goldens(const std::string& folder = "models") {
  std::vector<Golden> all;
  for (const auto& entry : std::filesystem::directory_iterator(GPUEVAL_SOURCE_DIR "/tests/golden/" + folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    all.push_back({entry.path().stem().string(), nlohmann::json::parse(file)});
  }
  std::sort(all.begin(), all.end(), [](const Golden& a, const Golden& b) { return a.name < b.name; });
  return all;
}

// As the script makes them.
inline std::vector<float> seeded_input(std::uint64_t seed, std::int64_t count) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = -1.0f + 2.0f * (static_cast<float>(random.next() >> 40) * 0x1p-24f);
  return values;
}

// Google Test names must be alphanumeric.
inline std::string test_name(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
}

}  // namespace gpueval
