// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <unordered_map>

#include "gpueval/error.h"
#include "io/data/label_line.h"
#include "io/data/label_list.h"

namespace gpueval::data {
namespace {

// Entries by a key of their names. Entries of one key must agree where a picture needs it.
class Index {
 public:
  template <typename Key>
  Index(const LabelList& list, Key&& key) : list_(list) {
    by_key_.reserve(list.entries.size());
    for (std::size_t i = 0; i < list.entries.size(); ++i) {
      const ListedLabel& entry = list.entries[i];
      const auto [place, inserted] = by_key_.emplace(key(entry.name), i);
      if (inserted) continue;
      const ListedLabel& before = list.entries[place->second];
      if (before.label != entry.label) contradictions_.emplace(place->first, i);
    }
  }

  // The entry's number; nullptr: none.
  const ListedLabel* find(std::string_view key) const {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    if (const auto other = contradictions_.find(key); other != contradictions_.end()) {
      const ListedLabel &one = list_.entries[found->second], &two = list_.entries[other->second];
      fail("{}: lines {} and {}: second label of an image: '{}' has label {}, '{}' has {}", list_.path, one.line,
           two.line, one.name, one.label, two.name, two.label);
    }
    return &list_.entries[found->second];
  }
  // Of entries that contradict each other, whether a picture needs them or not.
  void refuse_contradictions() const {
    if (!contradictions_.empty()) find(contradictions_.begin()->first);
  }
  std::size_t distinct() const { return by_key_.size(); }

 private:
  const LabelList& list_;
  std::unordered_map<std::string_view, std::size_t> by_key_, contradictions_;  // views of the entries' names
};

std::string_view stem(std::string_view name) { return without_picture_extension(base_name(name)); }

// "img10" behind "img9": runs of digits by their value.
bool before_by_number(std::string_view a, std::string_view b) {
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  while (!a.empty() && !b.empty()) {
    if (digit(a.front()) && digit(b.front())) {
      const auto run = [&](std::string_view text) {
        const std::string_view digits =
            text.substr(0, static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), digit) - text.begin()));
        return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
      };
      const std::string_view x = run(a), y = run(b);
      if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
      a.remove_prefix(static_cast<std::size_t>(std::find_if_not(a.begin(), a.end(), digit) - a.begin()));
      b.remove_prefix(static_cast<std::size_t>(std::find_if_not(b.begin(), b.end(), digit) - b.begin()));
      continue;
    }
    if (a.front() != b.front()) return a.front() < b.front();
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.size() < b.size();
}

std::string kind_of(const LabelList& list) { return list.synsets ? "WordNet ids" : "class ids"; }

MatchedLabels in_order(const LabelList& list, const std::string& folder, const std::vector<std::string>& pictures) {
  if (list.entries.size() != pictures.size()) {
    fail("{}: has {} labels, but {} holds {} images; a list of labels alone needs one for each", list.path,
         list.entries.size(), folder, pictures.size());
  }
  MatchedLabels result;
  for (const ListedLabel& entry : list.entries) result.labels.push_back(entry.label);
  result.truth.mapping =
      fmt::format("{} of {}, one a line in the order of the file names sorted as text", kind_of(list), list.path);
  for (std::size_t i = 1; i < pictures.size(); ++i) {
    if (!before_by_number(pictures[i], pictures[i - 1])) continue;
    result.truth.warnings.push_back(fmt::format(
        "{} has one label a line and no names: they were given to the file names sorted as text, {} before {}. If the "
        "list follows the numbers in the names, the labels are wrong; name each picture in the list ('name class-id').",
        list.path, pictures[i - 1], pictures[i]));
    break;
  }
  return result;
}

MatchedLabels by_name(const LabelList& list, const std::string& folder, const std::vector<std::string>& pictures) {
  const Index whole(list, base_name), stems(list, stem);
  whole.refuse_contradictions();
  MatchedLabels result;
  std::unordered_map<std::size_t, std::string_view> used;  // line -> picture
  for (const std::string& picture : pictures) {
    const ListedLabel* entry = whole.find(picture);
    if (entry == nullptr) entry = stems.find(stem(picture));
    const std::string path = (std::filesystem::path(folder) / picture).string();
    if (entry == nullptr) {
      fail("{}: has no label of {} ({} labels, {} pictures)", list.path, path, list.entries.size(), pictures.size());
    }
    if (const auto [other, first] = used.emplace(entry->line, picture); !first)
      fail("{}: line {} fits {} and {}; give both a line of their own", list.path, entry->line, other->second, picture);
    result.labels.push_back(entry->label);
  }
  result.truth.mapping = fmt::format("{} of {}, by file name", kind_of(list), list.path);
  if (whole.distinct() > used.size()) {
    result.truth.notes.push_back(fmt::format("{}: {} of its {} pictures are not in {}.", list.path,
                                             whole.distinct() - used.size(), whole.distinct(), folder));
  }
  return result;
}

}  // namespace

MatchedLabels match_labels(const LabelList& list, const std::string& folder, const std::vector<std::string>& pictures) {
  return list.named ? by_name(list, folder, pictures) : in_order(list, folder, pictures);
}

}  // namespace gpueval::data
