// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/near_miss.h"
#include "io/data/annotated/annotated_files.h"
#include "io/data/annotated/coco.h"

namespace gpueval::data {
namespace {

// Classes of the file's categories, -1 for one that is no class; the classes' ids, beyond the file's for those that it
// does not have.
struct CategoryPlaces {
  std::map<std::int64_t, int> place;
  std::vector<std::int64_t> ids;
};

CategoryPlaces match_categories(const std::vector<CocoCategory>& categories, const std::vector<std::string>& classes) {
  CategoryPlaces result;
  std::int64_t beyond = categories.empty() ? 1 : categories.back().id + 1;
  for (const CocoCategory& category : categories) result.place[category.id] = -1;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto named = std::find_if(categories.begin(), categories.end(),
                                    [&](const CocoCategory& category) { return category.name == classes[i]; });
    result.ids.push_back(named == categories.end() ? beyond++ : named->id);
    if (named != categories.end()) result.place[named->id] = static_cast<int>(i);
  }
  return result;
}

[[noreturn]] void no_class_of(const CocoFile& coco, std::int64_t id, const std::string& file,
                              const std::vector<std::string>& classes) {
  const auto category = std::find_if(coco.categories.begin(), coco.categories.end(),
                                     [&](const CocoCategory& candidate) { return candidate.id == id; });
  const auto boxes = std::count_if(coco.annotations.begin(), coco.annotations.end(),
                                   [&](const CocoAnnotation& annotation) { return annotation.category == id; });
  fail("{}: the category '{}' has {} boxes, expected one of the {} classes {}{}", file, category->name, boxes,
       classes.size(), some_of(classes), did_you_mean(category->name, classes));
}

}  // namespace

BoxSet coco_boxes(const CocoFile& coco, const std::string& file, std::vector<std::string>& classes) {
  if (classes.empty()) {
    for (const CocoCategory& category : coco.categories) classes.push_back(category.name);
  }
  const CategoryPlaces places = match_categories(coco.categories, classes);
  BoxSet set{.files = {file}, .category_ids = places.ids};
  std::map<std::int64_t, std::size_t> place_of_image;
  for (const CocoImage& image : coco.images) {
    place_of_image[image.id] = set.image_ids.size();
    set.image_ids.push_back(image.id);
    set.sizes.push_back(image.size);
  }
  // A picture's boxes stay in the order of the file, on which equal scores depend.
  set.first.assign(coco.images.size() + 1, 0);
  for (const CocoAnnotation& annotation : coco.annotations) ++set.first[place_of_image.at(annotation.image) + 1];
  for (std::size_t i = 1; i < set.first.size(); ++i) set.first[i] += set.first[i - 1];
  std::vector<std::size_t> next = set.first;
  set.boxes.resize(coco.annotations.size());
  for (const CocoAnnotation& annotation : coco.annotations) {
    const int place = places.place.at(annotation.category);
    if (place < 0) no_class_of(coco, annotation.category, file, classes);
    set.boxes[next[place_of_image.at(annotation.image)]++] = {
        .category = place, .box = annotation.box, .area = annotation.area, .crowd = annotation.crowd};
  }
  return set;
}

}  // namespace gpueval::data
