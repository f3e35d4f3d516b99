// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <optional>

#include "core/json_text.h"
#include "core/output_file.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "quant/table_form.h"
#include "quant/table_weights.h"

namespace gpueval {
namespace {

using Json = nlohmann::ordered_json;

Json facts_json(const CalibrationTable& table) {
  Json json = {
      {"schema", kTableSchema},
      {"tool_version", table.tool_version},
      {"model", table.model},
      {"weights_sha256", table.weights_sha256},
      {"preprocessing", table.preprocessing},
      {"scheme", table.scheme},
      {"activations", table.activations},
      {"isa", table.isa},
      {"cpu", table.cpu},
      {"image_list_sha256", table.image_list_sha256},
      {"images", table.images},
      {"seed", table.seed},
      {"calibration_images", Json::array()},
  };
  for (const ImageDigest& image : table.calibration_images)
    json["calibration_images"].push_back({{"index", image.index}, {"bytes", image.bytes}, {"sha256", image.sha256}});
  return json;
}

// All but the weights, which the side file holds.
Json corrections_json(const CalibrationTable& table) {
  Json json = Json::object();
  for (const auto& [name, correction] : table.corrections) {
    Json layer = Json::object();
    if (!correction.bias.empty()) layer["bias"] = correction.bias;
    if (!correction.weights.empty()) {
      layer["weight_scale"] = correction.weight_scale;
      layer["weights"] = correction.weights.size();
    }
    json[name] = std::move(layer);
  }
  return json;
}

bool has_weights(const CalibrationTable& table) {
  for (const auto& [name, correction] : table.corrections) {
    if (!correction.weights.empty()) return true;
  }
  return false;
}

}  // namespace

void save_table(const CalibrationTable& table, const std::string& path) {
  check_table_numbers(table, path);
  Json json = facts_json(table);
  json["range"] = table.range;
  if (!table.channel_scale.empty()) json["channel_scale"] = table.channel_scale;
  if (!table.zero_point.empty()) json["zero_point"] = table.zero_point;
  if (!table.corrections.empty()) json["corrections"] = corrections_json(table);
  std::optional<OutputFile> weights;
  if (has_weights(table)) {
    const SideFile side = write_side_file(table, weights.emplace(side_file_path(path)));
    json["weights_file"] = {{"name", side.name}, {"bytes", side.bytes}, {"sha256", side.sha256}};
  }
  json["table_sha256"] = table_sha256(json);
  OutputFile file(path);
  file.write(json_text(json, 2) + '\n');
  if (weights) weights->commit();  // both are on the disk before either replaces an older one
  file.commit();
}

void check_table(const CalibrationTable& table, const CalibrationTable& expected, const std::string& path) {
  const auto check = [&](const char* what, const std::string& found, const std::string& wanted) {
    if (found != wanted)
      fail("{}: the table was made for {} '{}', this run has '{}': calibrate again", path, what, found, wanted);
  };
  check("model", table.model, expected.model);
  check("weights with SHA-256", table.weights_sha256, expected.weights_sha256);
  check("preprocessing", table.preprocessing, expected.preprocessing);
  check("scheme", table.scheme, expected.scheme);
  check("activations", table.activations, expected.activations);
}

}  // namespace gpueval
