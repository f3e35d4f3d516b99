// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "gpueval/error.h"
#include "io/data/annotated/coco_parser.h"

namespace gpueval::data {
namespace {

template <typename T>
const T& needed(const std::optional<T>& field, const char* name, const std::string& where) {
  if (!field) fail("{}: has no '{}'", where, name);
  return *field;
}

int pixels(const std::optional<double>& extent, const char* name, const std::string& where) {
  if (!extent) return 0;
  if (!(*extent >= 0 && *extent < 1e9 && *extent == std::floor(*extent)))
    fail("{}: '{}': expected whole pixels, found {}", where, name, *extent);
  return static_cast<int>(*extent);
}

// Sorted by id; no two have one.
template <typename T>
void sort_by_id(std::vector<T>& elements, const std::string& file, const char* list) {
  std::stable_sort(elements.begin(), elements.end(), [](const T& a, const T& b) { return a.id < b.id; });
  const auto twice =
      std::adjacent_find(elements.begin(), elements.end(), [](const T& a, const T& b) { return a.id == b.id; });
  if (twice != elements.end()) fail("{}: {} have the id {} twice", file, list, twice->id);
}

template <typename T>
bool has_id(const std::vector<T>& sorted, std::int64_t id) {
  const auto at =
      std::lower_bound(sorted.begin(), sorted.end(), id, [](const T& a, std::int64_t b) { return a.id < b; });
  return at != sorted.end() && at->id == id;
}

}  // namespace

void CocoParser::add_element() {
  switch (section_) {
    case Section::kImages:
      return add_image();
    case Section::kAnnotations:
      return add_annotation();
    default:
      return add_category();
  }
}

void CocoParser::add_image() {
  const std::string& name = needed(element_.name, "file_name", where());
  const PictureSize size{pixels(element_.width, "width", where()), pixels(element_.height, "height", where())};
  result_.images.push_back({needed(element_.id, "id", where()), name, size});
}

void CocoParser::add_annotation() {
  if (element_.corners < 0) fail("{}: has no 'bbox'", where());
  const auto& [x, y, width, height] = element_.box;
  if (!(width >= 0 && height >= 0))
    fail("{}: 'bbox': expected a width and height of at least 0, found {} and {}", where(), width, height);
  CocoAnnotation annotation{needed(element_.image, "image_id", where()),
                            needed(element_.category, "category_id", where()),
                            {x, y, width, height},
                            element_.area.value_or(width * height),
                            element_.crowd};
  if (!(annotation.area >= 0)) fail("{}: 'area': expected at least 0, found {}", where(), annotation.area);
  result_.annotations.push_back(annotation);
  if (element_.id) annotation_ids_.push_back(*element_.id);
}

void CocoParser::add_category() {
  const std::string& name = needed(element_.name, "name", where());
  result_.categories.push_back({needed(element_.id, "id", where()), name});
}

CocoFile CocoParser::finish() {
  for (const char* list : {"images", "annotations", "categories"}) {
    if (!lists_.contains(list)) fail("{}: has no list '{}', as COCO's instances_*.json", file_, list);
  }
  if (result_.images.empty()) fail("{}: has no images", file_);
  sort_by_id(result_.images, file_, "images");
  sort_by_id(result_.categories, file_, "categories");
  std::sort(annotation_ids_.begin(), annotation_ids_.end());
  const auto twice = std::adjacent_find(annotation_ids_.begin(), annotation_ids_.end());
  if (twice != annotation_ids_.end()) fail("{}: annotations have the id {} twice", file_, *twice);
  std::set<std::string> names;
  for (const CocoCategory& category : result_.categories) {
    if (!names.insert(category.name).second) fail("{}: two categories have the name '{}'", file_, category.name);
  }
  for (std::size_t i = 0; i < result_.annotations.size(); ++i) {
    const CocoAnnotation& annotation = result_.annotations[i];
    if (!has_id(result_.images, annotation.image))
      fail("{}: annotations[{}]: 'image_id' {} is no image of the file", file_, i, annotation.image);
    if (!has_id(result_.categories, annotation.category))
      fail("{}: annotations[{}]: 'category_id' {} is no category of the file", file_, i, annotation.category);
  }
  return std::move(result_);
}

}  // namespace gpueval::data
