// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "gpueval/error.h"
#include "gpueval/quant.h"

namespace gpueval {
namespace {

constexpr int kSchema = 1;

}  // namespace

Scheme parse_scheme(const std::string& name) {
  if (name == "reference") return Scheme::kReference;
  if (name == "maxabs") return Scheme::kMaxAbs;
  fail_usage("--scheme {}: this version has reference and maxabs", name);
}

std::string to_string(Scheme scheme) { return scheme == Scheme::kReference ? "reference" : "maxabs"; }

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
  std::ofstream file(path);
  file << json.dump(2) << '\n';
  file.close();
  if (!file) fail("{}: the calibration table could not be written", path);
}

CalibrationTable load_table(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail("{}: the calibration table cannot be read; `gpu_eval calibrate` writes one", path);
  CalibrationTable table;
  try {
    const nlohmann::json json = nlohmann::json::parse(file);
    table.schema = json.at("schema");
    table.tool_version = json.at("tool_version");
    table.model = json.at("model");
    table.weights_sha256 = json.at("weights_sha256");
    table.preprocessing = json.at("preprocessing");
    table.scheme = json.at("scheme");
    table.activations = json.at("activations");
    table.image_list_sha256 = json.at("image_list_sha256");
    table.images = json.at("images");
    table.range = json.at("range").get<std::map<std::string, float>>();
  } catch (const nlohmann::json::exception& error) {
    fail("{}: not a calibration table: {}", path, error.what());
  }
  if (table.schema != kSchema)
    fail("{}: calibration table of schema {}, this version reads {}", path, table.schema, kSchema);
  for (const auto& [name, range] : table.range) {
    if (!std::isfinite(range) || range < 0)
      fail("{}: the range of '{}' is {}, a number >= 0 is expected", path, name, range);
  }
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
