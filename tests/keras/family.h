// SPDX-License-Identifier: Apache-2.0
// A network of keras.applications without its weights, as tests/golden/keras/make_families.py wrote it: what Keras
// saved of it, which arrays it has, and the logits that Keras gives where all of them come of seeded().
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "io/weights/keras_file.h"
#include "keras/importer.h"
#include "keras/npz.h"

namespace gpueval::test {

// low + (high - low) u, u of 24 bits: a hash of the seed and the index.
inline std::vector<float> seeded(const nlohmann::json& array, std::int64_t count) {
  const auto seed = array.at("seed").get<std::uint32_t>();
  const double low = array.at("low").get<double>(), high = array.at("high").get<double>();
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint32_t x = static_cast<std::uint32_t>(i) * 2654435761u + seed * 40503u;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    values[i] = static_cast<float>(low + (high - low) * ((x >> 8) * 0x1p-24));
  }
  return values;
}

struct Family {
  KerasNetwork network;
  int pictures = 0;
  std::vector<float> pixels, logits;  // of all pictures
};

// Squares of 8 x 8 pixels of one colour.
inline std::vector<float> pictures(const nlohmann::json& described) {
  const auto shape = described.at("shape").get<std::vector<std::size_t>>();
  const std::size_t rows = (shape[1] + 7) / 8, columns = (shape[2] + 7) / 8, channels = shape[3];
  const auto count = static_cast<std::int64_t>(shape[0] * rows * columns * channels);
  const std::vector<float> squares = seeded(described, count);
  std::vector<float> pixels;
  for (std::size_t n = 0; n < shape[0]; ++n) {
    for (std::size_t y = 0; y < shape[1]; ++y) {
      for (std::size_t x = 0; x < shape[2]; ++x) {
        const auto square =
            squares.begin() + static_cast<std::ptrdiff_t>(((n * rows + y / 8) * columns + x / 8) * channels);
        pixels.insert(pixels.end(), square, square + static_cast<std::ptrdiff_t>(channels));
      }
    }
  }
  return pixels;
}

inline WeightGroup weight_group(const nlohmann::json& described) {
  WeightGroup group{.path = described.at("path"), .name = described.at("name"), .arrays = {}};
  for (const nlohmann::json& array : described.at("arrays")) {
    Array values{array.at("shape").get<std::vector<std::int64_t>>(), nullptr};
    if (array.contains("seed")) {  // integers have none
      values.data = std::make_shared<const std::vector<float>>(seeded(array, values.elements()));
    }
    group.arrays.push_back({array.at("name"), std::move(values)});
  }
  return group;
}

inline Family read_family(const std::string& path) {
  const std::map<std::string, std::string> entries = read_zip(path);
  const nlohmann::json weights = nlohmann::json::parse(entries.at("weights.json"));
  KerasFile file;
  file.path = path;
  file.keras_version = weights.at("keras_version");
  file.config = entries.at("config.json");
  file.archive = weights.at("archive");
  for (const nlohmann::json& group : weights.at("groups")) file.groups.push_back(weight_group(group));
  const NpyArray logits = parse_npy(entries.at("logits.npy"));
  return {keras::import_file(file, {}), logits.shape.front(), pictures(weights.at("pixels")), logits.values};
}

}  // namespace gpueval::test
