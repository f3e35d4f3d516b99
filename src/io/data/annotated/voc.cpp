// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/data/annotated/label_map_dataset.h"
#include "io/data/annotated/layouts.h"
#include "io/data/annotated/voc_boxes.h"
#include "io/data/annotated/voc_split.h"

namespace gpueval::data {
namespace {

VocSplit voc_ids(const AnnotatedFolder& folder, const char* task, const char* annotations, const char* suffix) {
  const PictureStems pictures(folder.at("JPEGImages"));
  const std::string& split = folder.request.split;
  if (split.empty()) return whole_voc(folder.at(annotations), suffix, pictures);
  return read_voc_split(folder.at(std::string("ImageSets/") + task), split, pictures);
}

AnnotatedPictures voc_pictures(const AnnotatedFolder& folder, const VocSplit& split) {
  AnnotatedPictures pictures{folder.request.path, "voc", {}, folder.request.classes};
  for (const std::string& name : split.pictures) pictures.pictures.push_back(folder.below("JPEGImages/" + name));
  return pictures;
}

}  // namespace

std::unique_ptr<Dataset> open_voc_boxes(const AnnotatedFolder& folder) {
  VocSplit split = voc_ids(folder, "Main", "Annotations", ".xml");
  AnnotatedPictures pictures = voc_pictures(folder, split);
  BoxSet set = read_voc_boxes(folder.at("Annotations"), split.ids, pictures.classes);
  set.image_ids = std::move(split.numbers);
  pictures.truth.mapping =
      fmt::format("PASCAL VOC boxes of {} classes, pictures of {}", pictures.classes.size(), split.where);
  return box_dataset(std::move(pictures), std::move(set));
}

std::unique_ptr<Dataset> open_voc_label_maps(const AnnotatedFolder& folder) {
  VocSplit split = voc_ids(folder, "Segmentation", "SegmentationClass", ".png");
  const std::vector<std::string> there = files_ending(folder.at("SegmentationClass"), ".png");
  LabelMapFiles files{.image_ids = std::move(split.numbers), .map = folder.request.map.value_or(ClassMap{})};
  std::vector<std::string> missing;
  for (const std::string& id : split.ids) {
    if (!std::binary_search(there.begin(), there.end(), id)) missing.push_back(id + ".png");
    files.masks.push_back(folder.below("SegmentationClass/" + id + ".png"));
  }
  check_none_missing(folder.at("SegmentationClass"), "masks", split.ids.size(), missing);
  AnnotatedPictures pictures = voc_pictures(folder, split);
  pictures.truth.mapping = fmt::format("PASCAL VOC label maps, pictures of {}", split.where);
  return label_map_dataset(std::move(pictures), std::move(files));
}

}  // namespace gpueval::data
