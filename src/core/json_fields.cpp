// SPDX-License-Identifier: Apache-2.0
#include "core/json_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/json_text.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

using Json = nlohmann::json;

// A value as it stands in the file, cut where it is long.
std::string shown(const Json& json) {
  constexpr std::size_t kMost = 40;
  if (json.is_object()) return "an object";
  if (json.is_array()) return "a list";
  std::string text = json_text(json);
  return text.size() > kMost ? text.substr(0, kMost) + "..." : text;
}

}  // namespace

float finite_float(const Json& json, const std::string& what) {
  if (!json.is_number()) fail("{}: expected a number, found {}", what, shown(json));
  const double value = json.get<double>();
  if (!(std::abs(value) <= double{std::numeric_limits<float>::max()}))
    fail("{}: expected a finite float32 number, found {}", what, shown(json));
  return static_cast<float>(value);
}

JsonFields::JsonFields(const Json& json, std::string file, std::string place)
    : json_(json), file_(std::move(file)), place_(std::move(place)) {
  if (json_.is_object()) return;
  if (place_.empty()) fail("{}: expected a JSON object, found {}", file_, shown(json_));
  fail("{}: field '{}': expected an object, found {}", file_, place_, shown(json_));
}

bool JsonFields::has(std::string_view key) const {
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

bool JsonFields::null(std::string_view key) const {
  const auto found = json_.find(key);
  return found != json_.end() && found->is_null();
}

std::vector<std::string> JsonFields::keys() const {
  std::vector<std::string> result;
  for (const auto& [key, value] : json_.items()) result.push_back(key);
  return result;
}

void JsonFields::only(std::initializer_list<std::string_view> known) const {
  for (const std::string& key : keys()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail("{}: {} is not known, expected are {}", file_, where(key), fmt::join(known, ", "));
  }
}

std::string JsonFields::where(std::string_view key) const {
  return place_.empty() ? fmt::format("field '{}'", key) : fmt::format("field '{}.{}'", place_, key);
}

void JsonFields::refuse(std::string_view key, const std::string& expected) const {
  fail("{}: {}: expected {}, found {}", file_, where(key), expected, shown(json_.at(std::string(key))));
}

const Json& JsonFields::at(std::string_view key, const char* expected) const {
  const auto found = json_.find(key);
  if (found == json_.end()) fail("{}: {} is missing; {} is expected", file_, where(key), expected);
  return *found;
}

std::string JsonFields::text(std::string_view key) const {
  if (!at(key, "a text").is_string()) refuse(key, "a text");
  return json_.at(std::string(key)).get<std::string>();
}

bool JsonFields::flag(std::string_view key) const {
  if (!at(key, "true or false").is_boolean()) refuse(key, "true or false");
  return json_.at(std::string(key)).get<bool>();
}

double JsonFields::number(std::string_view key) const {
  const Json& json = at(key, "a number");
  if (!json.is_number() || !std::isfinite(json.get<double>())) refuse(key, "a finite number");
  return json.get<double>();
}

std::int64_t JsonFields::integer(std::string_view key, std::int64_t least, std::int64_t most) const {
  const Json& json = at(key, "a whole number");
  const auto expected = [&] { return fmt::format("a whole number from {} to {}", least, most); };
  if (!json.is_number_integer()) refuse(key, expected());
  if (json.is_number_unsigned() &&
      json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    refuse(key, expected());
  const auto value = json.get<std::int64_t>();
  if (value < least || value > most) refuse(key, expected());
  return value;
}

std::vector<float> JsonFields::floats(std::string_view key) const {
  const Json& json = at(key, "a list of numbers");
  if (!json.is_array()) refuse(key, "a list of numbers");
  std::vector<float> result;
  result.reserve(json.size());
  for (const Json& value : json)
    result.push_back(finite_float(value, fmt::format("{}: {}, number {}", file_, where(key), result.size() + 1)));
  return result;
}

JsonFields JsonFields::object(std::string_view key) const {
  const Json& json = at(key, "an object");
  return {json, file_, place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key)};
}

std::vector<JsonFields> JsonFields::objects(std::string_view key) const {
  const Json& json = at(key, "a list of objects");
  if (!json.is_array()) refuse(key, "a list of objects");
  std::vector<JsonFields> result;
  for (const Json& value : json) {
    const std::string place = fmt::format("{}[{}]", key, result.size());
    result.emplace_back(value, file_, place_.empty() ? place : place_ + "." + place);
  }
  return result;
}

std::vector<std::string> JsonFields::texts(std::string_view key) const {
  const Json& json = at(key, "a list of texts");
  if (!json.is_array() || !std::all_of(json.begin(), json.end(), [](const Json& value) { return value.is_string(); }))
    refuse(key, "a list of texts");
  return json.get<std::vector<std::string>>();
}

}  // namespace gpueval
