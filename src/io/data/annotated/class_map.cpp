// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>

#include "gpueval/dataset.h"
#include "io/data/label_line.h"

namespace gpueval {
namespace {

constexpr int kValues = 256;

[[noreturn]] void no_class_map(const std::string& text, const std::string& found) {
  fail_usage(
      "'{}': expected a list of VALUE:CLASS as in 15:1,255:void,other:0 (values 0 to 255 or 'other', classes 0 to 254 "
      "or 'void'), found {}",
      text, found);
}

std::string_view without_blanks(std::string_view word) {
  const auto first = word.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : word.substr(first, word.find_last_not_of(" \t") - first + 1);
}

std::optional<int> value_in(std::string_view word) {
  const std::optional<int> value = data::parse_class_id(word);
  return value && *value < kValues ? value : std::nullopt;
}

}  // namespace

std::array<std::uint8_t, kValues> ClassMap::identity() {
  std::array<std::uint8_t, kValues> values{};
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  return values;
}

ClassMap parse_class_map(const std::string& text) {
  std::array<std::optional<int>, kValues> named;
  std::optional<int> others;
  std::string_view rest = text;
  for (bool more = true; more;) {
    const auto comma = rest.find(',');
    const std::string pair(without_blanks(rest.substr(0, comma)));
    more = comma != std::string_view::npos;
    rest.remove_prefix(more ? comma + 1 : rest.size());
    const auto colon = std::min(pair.find(':'), pair.size());
    const std::string value(without_blanks(std::string_view(pair).substr(0, colon)));
    const std::string_view name = without_blanks(std::string_view(pair).substr(std::min(colon + 1, pair.size())));
    const std::optional<int> from = value_in(value), to = name == "void" ? LabelMap::kVoid : value_in(name);
    if ((!from && value != "other") || !to) no_class_map(text, fmt::format("'{}'", pair));
    std::optional<int>& place = from ? named[static_cast<std::size_t>(*from)] : others;
    if (place) no_class_map(text, fmt::format("'{}' twice", value));
    place = to;
  }
  ClassMap map;
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (const std::optional<int> to = named[i] ? named[i] : others) map.classes[i] = static_cast<std::uint8_t>(*to);
  }
  return map;
}

}  // namespace gpueval
