// SPDX-License-Identifier: Apache-2.0
#include "io/data/label_list.h"

#include <cctype>
#include <optional>
#include <utility>

#include "gpueval/error.h"
#include "io/data/class_ids.h"
#include "io/data/imagenet_classes.h"
#include "io/data/label_line.h"
#include "io/data/text_lines.h"

namespace gpueval::data {
namespace {

bool begins_with_letter(const std::string& text) {
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0;
}

// "ImageId,PredictionString", "label": a word where labels stand, and no picture in front of it.
bool is_header(const LabelLine& line) {
  return begins_with_letter(line.label) && !is_synset(line.label) && !has_picture_extension(line.name) &&
         !has_picture_extension(line.label);
}

class Reader {
 public:
  Reader(std::string path, const LabelRules& rules) : rules_(rules) { list_.path = std::move(path); }

  LabelList read() {
    std::size_t number = 0;
    for (const std::string& text : read_lines(list_.path)) {
      ++number;
      if (text.empty() || text.front() == '#') continue;
      const LabelLine line = split_label_line(text);
      if (!std::exchange(begun_, true) && is_header(line)) continue;
      add(number, text, line);
    }
    if (list_.entries.empty()) fail("{}: holds no labels, expected one entry a line", list_.path);
    std::vector<int> ids;
    for (const ListedLabel& entry : list_.entries) ids.push_back(entry.label);
    check_class_ids(list_.path, ids, rules_,
                    [&](std::size_t i) { return fmt::format("line {}", list_.entries[i].line); });
    return std::move(list_);
  }

 private:
  void add(std::size_t number, const std::string& text, const LabelLine& line) {
    const bool first = list_.entries.empty(), named = !line.name.empty(), synset = is_synset(line.label);
    if (first) {
      list_.named = named;
      list_.synsets = synset;
    }
    if (list_.named && !named) fail("{}: line {}: expected 'name class-id', found '{}'", list_.path, number, text);
    const std::optional<int> id = synset ? class_id(number, line.label) : parse_class_id(line.label);
    if (!id || (!list_.named && named)) {
      fail("{}: line {}: expected a class id, found '{}'", list_.path, number, list_.named ? line.label : text);
    }
    if (list_.synsets != synset) {
      fail("{}: line {}: expected a {} as in the lines before, found '{}'", list_.path, number,
           list_.synsets ? "WordNet id" : "class id", line.label);
    }
    list_.entries.push_back({number, line.name, *id});
  }

  int class_id(std::size_t number, const std::string& synset) const {
    if (!rules_.imagenet) {
      fail("{}: line {}: WordNet id {}, but this network's classes are not known as ImageNet's; expected class ids",
           list_.path, number, synset);
    }
    const std::optional<int> id = class_of_synset(synset);
    if (!id) fail("{}: line {}: WordNet id {} is not one of ImageNet's 1000 classes", list_.path, number, synset);
    return *id;
  }

  const LabelRules& rules_;
  LabelList list_;
  bool begun_ = false;
};

}  // namespace

LabelList read_label_list(const std::string& path, const LabelRules& rules) { return Reader(path, rules).read(); }

}  // namespace gpueval::data
