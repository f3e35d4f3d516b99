// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/output_file.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "quant/table_weights.h"

namespace gpueval {
namespace {

constexpr int kSchema = 1;

struct SchemeName {
  Scheme scheme;
  const char* name;
};
constexpr SchemeName kSchemes[] = {
    {Scheme::kReference, "reference"}, {Scheme::kMaxAbs, "maxabs"}, {Scheme::kPercentile, "percentile"},
    {Scheme::kEntropy, "entropy"},     {Scheme::kMse, "mse"},       {Scheme::kBest, "best"},
};

void read_facts(const nlohmann::json& json, CalibrationTable& table) {
  table.tool_version = json.at("tool_version");
  table.model = json.at("model");
  table.weights_sha256 = json.at("weights_sha256");
  table.preprocessing = json.at("preprocessing");
  table.scheme = json.at("scheme");
  table.activations = json.at("activations");
  table.image_list_sha256 = json.at("image_list_sha256");
  table.images = json.at("images");
  table.range = json.at("range").get<std::map<std::string, float>>();
  if (json.contains("channel_scale"))
    table.channel_scale = json.at("channel_scale").get<std::map<std::string, std::vector<float>>>();
}

// All but the weights; how many each layer has in the side file.
std::map<std::string, std::uint64_t> read_corrections(const nlohmann::json& json, CalibrationTable& table) {
  std::map<std::string, std::uint64_t> counts;
  if (!json.contains("corrections")) return counts;
  for (const auto& [name, layer] : json.at("corrections").get<std::map<std::string, nlohmann::json>>()) {
    LayerCorrection& correction = table.corrections[name];
    if (layer.contains("bias")) correction.bias = layer.at("bias").get<std::vector<float>>();
    if (!layer.contains("weights")) continue;
    correction.weight_scale = layer.at("weight_scale").get<std::vector<float>>();
    counts[name] = layer.at("weights");
  }
  return counts;
}

void check_numbers(const CalibrationTable& table, const std::string& path) {
  const auto check = [&](const char* what, const std::string& name, float value, bool good) {
    if (!std::isfinite(value) || !good) fail("{}: the {} of '{}' is {}, which it cannot be", path, what, name, value);
  };
  for (const auto& [name, range] : table.range) check("range", name, range, range >= 0);
  for (const auto& [name, scales] : table.channel_scale) {
    for (const float scale : scales) check("scale of a channel", name, scale, scale > 0);
  }
  for (const auto& [name, correction] : table.corrections) {
    for (const float bias : correction.bias) check("bias", name, bias, true);
    for (const float scale : correction.weight_scale) check("scale of the weights", name, scale, scale > 0);
  }
}

}  // namespace

Scheme parse_scheme(const std::string& name) {
  std::string names;
  for (const SchemeName& row : kSchemes) {
    if (name == row.name) return row.scheme;
    names += names.empty() ? row.name : fmt::format(", {}", row.name);
  }
  fail_usage("--scheme {}: the schemes are {}", name, names);
}

std::string to_string(Scheme scheme) {
  for (const SchemeName& row : kSchemes) {
    if (scheme == row.scheme) return row.name;
  }
  fail("scheme {} has no name", static_cast<int>(scheme));
}

bool needs_calibration(Scheme scheme) { return scheme != Scheme::kReference; }

void save_table(const CalibrationTable& table, const std::string& path) {
  nlohmann::ordered_json json = {
      {"schema", kSchema},
      {"tool_version", table.tool_version},
      {"model", table.model},
      {"weights_sha256", table.weights_sha256},
      {"preprocessing", table.preprocessing},
      {"scheme", table.scheme},
      {"activations", table.activations},
      {"image_list_sha256", table.image_list_sha256},
      {"images", table.images},
      {"range", table.range},
  };
  if (!table.channel_scale.empty()) json["channel_scale"] = table.channel_scale;
  bool any_weights = false;
  for (const auto& [name, correction] : table.corrections) {
    nlohmann::ordered_json layer = nlohmann::ordered_json::object();
    if (!correction.bias.empty()) layer["bias"] = correction.bias;
    if (!correction.weights.empty()) {
      layer["weight_scale"] = correction.weight_scale;
      layer["weights"] = correction.weights.size();
      any_weights = true;
    }
    json["corrections"][name] = std::move(layer);
  }
  std::optional<OutputFile> weights;
  if (any_weights) {
    const SideFile side = write_side_file(table, weights.emplace(side_file_path(path)));
    json["weights_file"] = {{"name", side.name}, {"bytes", side.bytes}, {"sha256", side.sha256}};
  }
  OutputFile file(path);
  file.write(json.dump(2) + '\n');
  if (weights) weights->commit();  // both are on the disk before either replaces an older one
  file.commit();
}

CalibrationTable load_table(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail("{}: the calibration table cannot be read; `gpu_eval calibrate` writes one", path);
  CalibrationTable table;
  std::map<std::string, std::uint64_t> weight_counts;
  SideFile side;
  try {
    const nlohmann::json json = nlohmann::json::parse(file);
    table.schema = json.at("schema");
    if (table.schema != kSchema)
      fail("{}: calibration table of schema {}, this version reads {}", path, table.schema, kSchema);
    read_facts(json, table);
    weight_counts = read_corrections(json, table);
    if (!weight_counts.empty()) {
      const nlohmann::json& from = json.at("weights_file");
      side = {.name = from.at("name"), .bytes = from.at("bytes"), .sha256 = from.at("sha256")};
    }
  } catch (const nlohmann::json::exception& error) {
    fail("{}: not a calibration table: {}", path, error.what());
  }
  check_numbers(table, path);
  if (!weight_counts.empty()) read_side_file(side, path, weight_counts, table);
  return table;
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
