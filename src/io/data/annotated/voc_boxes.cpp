// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/voc_boxes.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/near_miss.h"
#include "io/data/annotated/annotated_files.h"
#include "io/data/annotated/voc_xml.h"

namespace gpueval::data {
namespace {

const std::vector<std::string>& voc_names() {
  static const std::vector<std::string> names = {
      "aeroplane",   "bicycle", "bird",  "boat",      "bottle", "bus",         "car",   "cat",  "chair", "cow",
      "diningtable", "dog",     "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"};
  return names;
}

// Places of names, which are given or found.
class NamePlaces {
 public:
  explicit NamePlaces(const std::vector<std::string>& given) : given_(given) {
    for (std::size_t i = 0; i < given.size(); ++i) places_.emplace(given[i], static_cast<int>(i));
  }
  int place(const VocObject& object, const std::string& file, std::size_t number) {
    const auto found = places_.find(object.name);
    if (found != places_.end()) return found->second;
    if (!given_.empty()) {
      fail("{}: object {} is a '{}', expected one of the {} classes {}{}", file, number, object.name, given_.size(),
           some_of(given_), did_you_mean(object.name, given_));
    }
    return places_.emplace(object.name, static_cast<int>(places_.size())).first->second;
  }
  // The names found, in the order of their classes; boxes with places in the order of finding get these classes.
  std::vector<std::string> settle(std::vector<TruthBox>& boxes) const {
    std::vector<std::string> names;
    for (const auto& [name, place] : places_) names.push_back(name);
    const std::vector<std::string>& voc = voc_names();
    if (std::includes(voc.begin(), voc.end(), names.begin(), names.end())) names = voc;
    std::vector<int> classes(places_.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto found = places_.find(names[i]);
      if (found != places_.end()) classes[static_cast<std::size_t>(found->second)] = static_cast<int>(i);
    }
    for (TruthBox& box : boxes) box.category = classes[static_cast<std::size_t>(box.category)];
    return names;
  }
  bool empty() const { return places_.empty(); }

 private:
  std::vector<std::string> given_;
  std::map<std::string, int> places_;
};

void check_xml_files(const std::string& folder, const std::vector<std::string>& ids) {
  const std::vector<std::string> there = files_ending(folder, ".xml");
  std::vector<std::string> missing;
  for (const std::string& id : ids) {
    if (!std::binary_search(there.begin(), there.end(), id)) missing.push_back(id + ".xml");
  }
  check_none_missing(folder, "annotations", ids.size(), missing);
}

}  // namespace

BoxSet read_voc_boxes(const std::string& folder, const std::vector<std::string>& ids,
                      std::vector<std::string>& classes) {
  check_xml_files(folder, ids);
  NamePlaces places(classes);
  BoxSet set{.inside = true};
  for (const std::string& id : ids) {
    set.files.push_back((std::filesystem::path(folder) / (id + ".xml")).string());
    const VocAnnotation annotation = read_voc_annotation(set.files.back());
    set.sizes.push_back(annotation.size);
    for (std::size_t i = 0; i < annotation.objects.size(); ++i) {
      const VocObject& object = annotation.objects[i];
      set.boxes.push_back({.category = places.place(object, set.files.back(), i + 1),
                           .box = object.box,
                           .area = object.box.area(),
                           .difficult = object.difficult});
    }
    set.first.push_back(set.boxes.size());
  }
  if (places.empty()) fail("{}: expected boxes, but none of {} annotations has one", folder, ids.size());
  if (classes.empty()) classes = places.settle(set.boxes);
  return set;
}

}  // namespace gpueval::data
