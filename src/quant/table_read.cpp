// SPDX-License-Identifier: Apache-2.0
// Reading a calibration table: every field by name and type, then its digest, then its numbers.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/json_fields.h"
#include "core/json_text.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "quant/table_form.h"
#include "quant/table_weights.h"

namespace gpueval {
namespace {

constexpr std::uint64_t kMostBytes = 256u << 20;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// Fields that came with the digest: all of them are there, or none.
constexpr const char* kNewer[] = {"isa", "cpu", "seed", "calibration_images", "table_sha256"};

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<ImageDigest> read_images(const JsonFields& table) {
  std::vector<ImageDigest> images;
  for (const JsonFields& image : table.objects("calibration_images")) {
    image.only({"index", "bytes", "sha256"});
    images.push_back({static_cast<std::size_t>(image.integer("index", 0, kMost)),
                      static_cast<std::uint64_t>(image.integer("bytes", 1, kMost)), image.text("sha256")});
    if (!is_sha256(images.back().sha256)) image.refuse("sha256", "64 hexadecimal digits");
  }
  return images;
}

void read_facts(const JsonFields& json, CalibrationTable& table) {
  table.tool_version = json.text("tool_version");
  table.model = json.text("model");
  table.weights_sha256 = json.text("weights_sha256");
  table.preprocessing = json.text("preprocessing");
  table.scheme = json.text("scheme");
  table.activations = json.text("activations");
  if (table.activations != "u8" && table.activations != "s8") json.refuse("activations", "u8 or s8");
  table.image_list_sha256 = json.text("image_list_sha256");
  table.images = static_cast<int>(json.integer("images", 1, std::numeric_limits<int>::max()));
}

void read_newer(const JsonFields& json, CalibrationTable& table, const std::string& path) {
  if (std::none_of(std::begin(kNewer), std::end(kNewer), [&](const char* key) { return json.json().contains(key); })) {
    table.notes.push_back(fmt::format(
        "The calibration table {} is of an earlier version: it does not tell which images it was calibrated on, so "
        "they may be among the judged ones and make int8 look better than it is, and it holds no digest of itself.",
        path));
    return;
  }
  table.isa = json.text("isa");
  table.cpu = json.text("cpu");
  table.seed = static_cast<std::uint64_t>(json.integer("seed", 0, kMost));
  table.calibration_images = read_images(json);
  if (json.text("table_sha256") != table_sha256(json.json()))
    fail("{}: was changed since it was written (its table_sha256 does not fit): calibrate again", path);
  if (!table.calibration_images.empty() && std::cmp_less(table.calibration_images.size(), table.images))
    json.refuse("images", fmt::format("at most the {} calibration_images", table.calibration_images.size()));
}

// All but the weights; how many each layer has in the side file.
std::map<std::string, std::uint64_t> read_corrections(const JsonFields& json, CalibrationTable& table) {
  std::map<std::string, std::uint64_t> counts;
  if (!json.json().contains("corrections")) return counts;
  const JsonFields corrections = json.object("corrections");
  for (const std::string& name : corrections.keys()) {
    const JsonFields layer = corrections.object(name);
    layer.only({"bias", "weight_scale", "weights"});
    LayerCorrection& correction = table.corrections[name];
    if (layer.json().contains("bias")) correction.bias = layer.floats("bias");
    if (!layer.json().contains("weights") && !layer.json().contains("weight_scale")) continue;
    correction.weight_scale = layer.floats("weight_scale");
    counts[name] = static_cast<std::uint64_t>(layer.integer("weights", 1, kMost));
  }
  return counts;
}

SideFile read_side(const JsonFields& json, bool needed) {
  if (!needed) {
    if (json.json().contains("weights_file")) json.refuse("weights_file", "none, as no layer has weights");
    return {};
  }
  const JsonFields from = json.object("weights_file");
  from.only({"name", "bytes", "sha256"});
  return {.name = from.text("name"),
          .bytes = static_cast<std::uint64_t>(from.integer("bytes", 1, kMost)),
          .sha256 = from.text("sha256")};
}

}  // namespace

CalibrationTable load_table(const std::string& path) {
  const nlohmann::json text = read_json(path, kMostBytes);
  const JsonFields json(text, path + ": not a calibration table");
  CalibrationTable table;
  table.schema = static_cast<int>(json.integer("schema", 0, 1'000'000));
  if (table.schema != kTableSchema)
    fail("{}: calibration table of schema {}, this version reads {}", path, table.schema, kTableSchema);
  json.only({"schema", "tool_version", "model", "weights_sha256", "preprocessing", "scheme", "activations", "isa",
             "cpu", "image_list_sha256", "images", "seed", "calibration_images", "range", "channel_scale", "zero_point",
             "corrections", "weights_file", "table_sha256"});
  read_facts(json, table);
  const JsonFields ranges = json.object("range");
  for (const std::string& name : ranges.keys())
    table.range[name] = finite_float(ranges.json().at(name), fmt::format("{}: {}", path, ranges.where(name)));
  if (text.contains("channel_scale")) {
    const JsonFields scales = json.object("channel_scale");
    for (const std::string& name : scales.keys()) table.channel_scale[name] = scales.floats(name);
  }
  if (text.contains("zero_point")) {
    const JsonFields points = json.object("zero_point");
    for (const std::string& name : points.keys())
      table.zero_point[name] = static_cast<int>(points.integer(name, 1, 254));
  }
  const std::map<std::string, std::uint64_t> weight_counts = read_corrections(json, table);
  const SideFile side = read_side(json, !weight_counts.empty());
  read_newer(json, table, path);
  check_table_numbers(table, path);
  if (!weight_counts.empty()) read_side_file(side, path, weight_counts, table);
  return table;
}

}  // namespace gpueval
