// SPDX-License-Identifier: Apache-2.0
#include "quant/table_form.h"

#include <cmath>
#include <limits>
#include <string_view>

#include "core/json_text.h"
#include "core/sha256.h"
#include "gpueval/error.h"

namespace gpueval {

std::string table_sha256(nlohmann::json json) {
  json.erase("table_sha256");
  Sha256 sum;
  sum.update(std::string_view(json_text(json)));
  return sum.hex();
}

void check_table_numbers(const CalibrationTable& table, const std::string& path) {
  const auto check = [&](const char* what, const std::string& name, float value, bool good) {
    if (!std::isfinite(value) || !good) fail("{}: the {} of '{}' is {}, which it cannot be", path, what, name, value);
  };
  constexpr float kLeast = std::numeric_limits<float>::min();  // denormal scales overflow what is divided by them
  for (const auto& [name, range] : table.range) check("range", name, range, range == 0 || range >= kLeast);
  for (const auto& [name, scales] : table.channel_scale) {
    for (const float scale : scales) check("scale of a channel", name, scale, scale >= kLeast);
  }
  for (const auto& [name, point] : table.zero_point)
    check("zero point", name, static_cast<float>(point), point >= 1 && point <= 254);
  for (const auto& [name, correction] : table.corrections) {
    for (const float bias : correction.bias) check("bias", name, bias, true);
    for (const float scale : correction.weight_scale) check("scale of the weights", name, scale, scale > 0);
  }
}

}  // namespace gpueval
