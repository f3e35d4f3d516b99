// SPDX-License-Identifier: Apache-2.0
#include "quant/table_weights.h"

#include <algorithm>
#include <filesystem>

#include "core/input_file.h"
#include "core/output_file.h"
#include "core/sha256.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

std::filesystem::path next_to(const std::string& table_path, const std::string& name) {
  return std::filesystem::path(table_path).parent_path() / name;
}

}  // namespace

std::string side_file_path(const std::string& table_path) {
  std::filesystem::path path = table_path;
  if (path.extension() != ".json") return table_path + ".weights";
  return path.replace_extension(".weights").string();
}

SideFile write_side_file(const CalibrationTable& table, OutputFile& file) {
  SideFile result{.name = std::filesystem::path(file.path()).filename().string()};
  Sha256 sum;
  for (const auto& [name, correction] : table.corrections) {
    const std::vector<std::int8_t>& weights = correction.weights;
    sum.update(std::as_bytes(std::span(weights)));
    file.write(std::as_bytes(std::span(weights)));
    result.bytes += weights.size();
  }
  result.sha256 = sum.hex();
  return result;
}

void read_side_file(const SideFile& file, const std::string& table_path,
                    const std::map<std::string, std::uint64_t>& counts, CalibrationTable& table) {
  if (file.name.empty() || std::filesystem::path(file.name).filename() != file.name) {
    fail("{}: the name '{}' of the weights' file is not a plain file name", table_path, file.name);
  }
  const std::string path = next_to(table_path, file.name).string();
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    fail("{}: cannot be read, but the calibration table {} needs it for its weights: keep both in one folder", path,
         table_path);
  }
  const InputFile stream(path);
  const std::uint64_t size = stream.size();
  if (size != file.bytes) {
    fail("{}: {} bytes, but the calibration table {} was written with one of {}: calibrate again", path, size,
         table_path, file.bytes);
  }
  Sha256 sum;
  std::uint64_t left = size;
  for (const auto& [name, count] : counts) {
    if (count > left) fail("{}: the layers have more weights than the {} of {}", table_path, size, path);
    left -= count;
    std::vector<std::int8_t> weights(count);
    stream.read(size - left - count, {reinterpret_cast<std::uint8_t*>(weights.data()), weights.size()});
    sum.update(std::as_bytes(std::span(weights)));
    table.corrections[name].weights = std::move(weights);
  }
  if (left != 0) fail("{}: the layers have {} weights less than {}", table_path, left, path);
  if (sum.hex() != file.sha256) {
    fail("{}: not the file that the calibration table {} was written with (SHA-256 differs): calibrate again", path,
         table_path);
  }
  for (const auto& [name, correction] : table.corrections) {
    if (std::count(correction.weights.begin(), correction.weights.end(), std::int8_t{-128}) > 0)
      fail("{}: a weight of '{}' is -128, numbers from -127 to 127 are expected", path, name);
  }
}

}  // namespace gpueval
