// SPDX-License-Identifier: Apache-2.0
// Cityscapes' ids: https://github.com/mcordts/cityscapesScripts/blob/master/cityscapesscripts/helpers/labels.py
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "io/data/annotated/annotated_files.h"
#include "io/data/annotated/label_map_dataset.h"
#include "io/data/annotated/layouts.h"

namespace gpueval::data {
namespace {

constexpr std::string_view kPictureEnd = "_leftImg8bit.png", kTrainIds = "_gtFine_labelTrainIds.png",
                           kLabelIds = "_gtFine_labelIds.png";

struct CityClass {
  const char* name;
  std::uint8_t label_id;
};
// In the order of their train ids.
constexpr CityClass kCityClasses[] = {
    {"road", 7},  {"sidewalk", 8},       {"building", 11},     {"wall", 12},       {"fence", 13},
    {"pole", 17}, {"traffic light", 19}, {"traffic sign", 20}, {"vegetation", 21}, {"terrain", 22},
    {"sky", 23},  {"person", 24},        {"rider", 25},        {"car", 26},        {"truck", 27},
    {"bus", 28},  {"train", 31},         {"motorcycle", 32},   {"bicycle", 33}};

ClassMap train_ids_of_label_ids() {
  ClassMap map;
  map.classes.fill(LabelMap::kVoid);
  for (std::size_t i = 0; i < std::size(kCityClasses); ++i)
    map.classes[kCityClasses[i].label_id] = static_cast<std::uint8_t>(i);
  return map;
}

// "CITY/CITY_000000_000019" of all pictures or masks with that end.
std::vector<std::string> city_files(const std::string& folder, std::string_view end) {
  std::vector<std::string> files;
  for (const std::string& city : folders_in(folder)) {
    for (const std::string& name : files_ending(folder + "/" + city, end)) files.push_back(city + "/" + name);
  }
  return files;
}

}  // namespace

std::unique_ptr<Dataset> open_cityscapes(const AnnotatedFolder& folder) {
  const std::string split = split_folder(folder.at("leftImg8bit"), folder.request.split);
  const std::string pictures_in = folder.at("leftImg8bit/" + split), masks_in = folder.at("gtFine/" + split);
  const std::vector<std::string> names = city_files(pictures_in, kPictureEnd);
  if (names.empty()) fail("{}: expected CITY/*{}, found none", pictures_in, kPictureEnd);
  std::vector<std::string> there = city_files(masks_in, kTrainIds);
  const std::string_view end = there.empty() ? kLabelIds : kTrainIds;
  if (there.empty()) there = city_files(masks_in, kLabelIds);
  const std::set<std::string> masks(there.begin(), there.end());

  AnnotatedPictures pictures{folder.request.path, "cityscapes", {}, folder.request.classes};
  LabelMapFiles files;
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    if (!masks.contains(name)) missing.push_back(fmt::format("{}{}", name, end));
    pictures.pictures.push_back(folder.below(fmt::format("leftImg8bit/{}/{}{}", split, name, kPictureEnd)));
    files.masks.push_back(folder.below(fmt::format("gtFine/{}/{}{}", split, name, end)));
  }
  check_none_missing(masks_in, "masks", names.size(), missing);
  if (end == kLabelIds) files.map = train_ids_of_label_ids();
  if (folder.request.map) {
    for (std::uint8_t& value : files.map.classes) value = folder.request.map->classes[value];
  } else if (pictures.classes.empty()) {
    for (const CityClass& city_class : kCityClasses) pictures.classes.emplace_back(city_class.name);
  }
  pictures.truth.mapping =
      fmt::format("Cityscapes {} of {}", end == kTrainIds ? "train ids" : "label ids as train ids", masks_in);
  return label_map_dataset(std::move(pictures), std::move(files));
}

}  // namespace gpueval::data
