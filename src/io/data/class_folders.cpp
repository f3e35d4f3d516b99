// SPDX-License-Identifier: Apache-2.0
#include "io/data/class_folders.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <span>

#include "gpueval/error.h"
#include "io/data/class_ids.h"
#include "io/data/imagenet_classes.h"
#include "io/data/label_line.h"

namespace gpueval::data {
namespace {

using Names = std::vector<std::string>;

bool all_digits(const std::string& name) { return name.find_first_not_of("0123456789") == std::string::npos; }

// "n01440764" of "n01440764-tench"; empty: the name does not begin with a WordNet id.
std::string synset_in(const std::string& name) {
  const std::string synset = name.substr(0, 9);
  const bool ends = name.size() <= 9 || std::isalnum(static_cast<unsigned char>(name[9])) == 0;
  return is_synset(synset) && ends ? synset : "";
}

// Two folders of one class: one of them is not what it seems.
void check_distinct(const std::string& where, const Names& names, const std::vector<int>& ids) {
  std::map<int, std::string> seen;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto [other, first] = seen.emplace(ids[i], names[i]);
    if (!first) fail("{}: the folders {} and {} are both class {}", where, other->second, names[i], ids[i]);
  }
}

// Ids of all names by `id_of`; nullopt if it knows none of them. Error if it knows only some.
template <typename IdOf>
std::optional<std::vector<int>> ids_by(const std::string& where, const Names& names, const char* what, IdOf&& id_of) {
  std::vector<int> ids;
  Names known, strange;
  for (const std::string& name : names) {
    const std::optional<int> id = id_of(name);
    (id ? known : strange).push_back(name);
    if (id) ids.push_back(*id);
  }
  if (known.empty()) return std::nullopt;
  if (!strange.empty()) {
    fail("{}: the folder {} is {}, but {} is not: {} of {} folders are not; move them away or rename them", where,
         known.front(), what, strange.front(), strange.size(), names.size());
  }
  check_distinct(where, names, ids);
  return ids;
}

std::optional<ClassIds> imagenet_ids(const std::string& where, const Names& names, const LabelRules& rules) {
  const auto mapping = [&](const char* what) {
    return fmt::format("{} of {} class folders, of {} classes", what, names.size(), rules.classes);
  };
  const auto number = [](const std::string& name) { return all_digits(name) ? parse_class_id(name) : std::nullopt; };
  if (auto ids = ids_by(where, names, "a class id", number)) {
    check_class_ids(where, *ids, rules, [&](std::size_t i) { return "folder " + names[i]; });
    return ClassIds{std::move(*ids), mapping("class ids in the names")};
  }
  const auto synset = [](const std::string& name) { return class_of_synset(synset_in(name)); };
  if (auto ids = ids_by(where, names, "one of ImageNet's 1000 WordNet ids", synset))
    return ClassIds{std::move(*ids), mapping("WordNet ids in the names")};
  const auto by_name = [](const std::string& name) { return class_of_name(name); };
  if (auto ids = ids_by(where, names, "the name of exactly one of ImageNet's classes", by_name))
    return ClassIds{std::move(*ids), mapping("ImageNet's class names")};
  return std::nullopt;
}

std::string listed(const Names& names) {
  constexpr std::size_t kShown = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i)
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", i, names[i]);
  if (names.size() > kShown) text += fmt::format(", ..., {} {}", names.size() - 1, names.back());
  return text;
}

}  // namespace

bool names_a_class(const std::string& folder, const LabelRules& rules) {
  if (!rules.imagenet) return false;
  if (class_of_synset(synset_in(folder))) return true;
  const std::optional<int> id = all_digits(folder) ? parse_class_id(folder) : std::nullopt;
  return id && *id < rules.classes;
}

ClassIds class_ids_of_folders(const std::string& where, const Names& names, const Names& empty,
                              const LabelRules& rules) {
  if (rules.imagenet) {
    if (auto certain = imagenet_ids(where, names, rules)) return *certain;
  }
  if (rules.classes != 0 && names.size() != static_cast<std::size_t>(rules.classes)) {
    const Names shown(names.begin(),
                      names.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(4, names.size())));
    fail(
        "{}: {} folders with pictures ({}{}), but the network has {} classes{}: Keras numbers the folders of all its "
        "classes in text order, so these cannot be told{}",
        where, names.size(), fmt::join(shown, ", "), names.size() > shown.size() ? ", ..." : "", rules.classes,
        empty.empty() ? ""
                      : fmt::format(" ({} more folders have no pictures: {}{})", empty.size(), empty.front(),
                                    empty.size() > 1 ? ", ..." : ""),
        rules.imagenet
            ? "; name the folders by WordNet id (n01440764) or class id (0 to 999), or use a flat folder and "
              "--labels"
            : "; use a flat folder and --labels");
  }
  ClassIds result;
  for (std::size_t i = 0; i < names.size(); ++i) result.ids.push_back(static_cast<int>(i));
  result.mapping = fmt::format("class folders numbered in text order, as Keras does: {}", listed(names));
  return result;
}

}  // namespace gpueval::data
