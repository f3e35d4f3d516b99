// SPDX-License-Identifier: Apache-2.0
#include "task/detection/cell_boxes.h"

#include <fmt/format.h>

#include <cmath>

namespace gpueval {
namespace {

CellBox of_size_and_ratio(double size, double ratio) { return {size * std::sqrt(ratio), size / std::sqrt(ratio)}; }

}  // namespace

std::vector<double> numbers_above(const JsonFields& json, const char* key, std::size_t count, double above) {
  std::vector<double> values;
  const std::string expected =
      count == 0 ? fmt::format("numbers above {}", above) : fmt::format("{} numbers above {}", count, above);
  if (!json.has(key) || !json.json()[key].is_array()) json.refuse(key, expected);
  for (const auto& value : json.json()[key]) {
    if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= above)
      json.refuse(key, expected);
    values.push_back(value.get<double>());
  }
  if (values.empty() || (count != 0 && values.size() != count)) json.refuse(key, expected);
  return values;
}

std::vector<CellBox> cell_boxes(const JsonFields& map, const std::string& order) {
  std::vector<CellBox> boxes;
  if (map.has("boxes")) {
    for (const auto& box : map.json()["boxes"]) {
      const bool pair = box.is_array() && box.size() == 2 && box[0].is_number() && box[1].is_number();
      if (!pair || !(box[0] > 0) || !(box[1] > 0)) map.refuse("boxes", "a list of [width, height], both above 0");
      boxes.push_back({box[0].get<double>(), box[1].get<double>()});
    }
    if (boxes.empty()) map.refuse("boxes", "at least one [width, height]");
    return boxes;
  }
  const std::vector<double> sizes = numbers_above(map, "sizes", 0, 0), ratios = numbers_above(map, "ratios", 0, 0);
  if (order == "sizes-then-ratios") {
    for (const double size : sizes) boxes.push_back(of_size_and_ratio(size, ratios[0]));
    for (std::size_t i = 1; i < ratios.size(); ++i) boxes.push_back(of_size_and_ratio(sizes[0], ratios[i]));
  } else if (order == "by-size") {
    for (const double size : sizes)
      for (const double ratio : ratios) boxes.push_back(of_size_and_ratio(size, ratio));
  } else {
    for (const double ratio : ratios)
      for (const double size : sizes) boxes.push_back(of_size_and_ratio(size, ratio));
  }
  return boxes;
}

}  // namespace gpueval
