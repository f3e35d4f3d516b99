// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/coco.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/near_miss.h"
#include "io/data/annotated/annotated_files.h"
#include "io/data/annotated/layouts.h"

namespace gpueval::data {
namespace {

namespace fs = std::filesystem;

// The name of a split, of annotations/instances_SPLIT.json.
std::string coco_split(const AnnotatedFolder& folder) {
  constexpr std::string_view kFirst = "instances_";
  const std::string where = folder.at("annotations"), &split = folder.request.split;
  std::vector<std::string> there;
  for (const std::string& name : files_ending(where, ".json")) {
    if (name.starts_with(kFirst)) there.push_back(name.substr(kFirst.size()));
    if (!there.empty() && there.back() == split) return split;
  }
  if (there.empty()) fail("{}: expected instances_SPLIT.json of COCO, found none", where);
  if (!split.empty()) {
    fail_usage("{}/instances_{}.json: no such file; there are the splits {}{}", where, split, some_of(there),
               did_you_mean(split, there));
  }
  if (there.size() > 1) fail_usage("{}: expected the name of a split, as there are several: {}", where, some_of(there));
  return there.front();
}

// Where a split's pictures are: in SPLIT, in images/SPLIT, else side by side.
std::string coco_pictures(const AnnotatedFolder& folder, const std::string& split) {
  std::error_code ignored;
  for (const std::string& name : {split, "images/" + split}) {
    if (!split.empty() && fs::is_directory(folder.at(name), ignored)) return folder.below(name);
  }
  if (folder.request.annotations.empty())
    fail("{}: expected the folder {} of pictures beside annotations, found none", folder.where(), split);
  return folder.inside;
}

void check_coco_pictures(const AnnotatedPictures& pictures, const std::string& where) {
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < pictures.pictures.size(); ++i) {
    std::error_code ignored;
    if (!fs::is_regular_file(pictures.file(i), ignored)) missing.push_back(pictures.pictures[i]);
  }
  check_none_missing(where, "pictures", pictures.pictures.size(), missing);
}

AnnotatedPictures named_in(const CocoFile& coco, const std::string& file, const std::string& inside) {
  AnnotatedPictures pictures{.kind = "coco"};
  for (const CocoImage& image : coco.images) {
    const fs::path name(image.file_name);
    const bool leads_out = name.is_absolute() || std::find(name.begin(), name.end(), "..") != name.end();
    if (leads_out || name.empty())
      fail("{}: the image {} has the file name '{}', which is none of the folder", file, image.id, image.file_name);
    pictures.pictures.push_back((fs::path(inside) / name).string());
  }
  return pictures;
}

std::unique_ptr<Dataset> coco_dataset(const CocoFile& coco, const std::string& file, AnnotatedPictures pictures) {
  BoxSet set = coco_boxes(coco, file, pictures.classes);
  pictures.truth.mapping = fmt::format("COCO boxes of {} classes, {}", pictures.classes.size(), file);
  return box_dataset(std::move(pictures), std::move(set));
}

}  // namespace

std::unique_ptr<Dataset> open_coco(const AnnotatedFolder& folder) {
  const AnnotatedRequest& request = folder.request;
  const bool named = !request.annotations.empty();
  const std::string split = named ? request.split : coco_split(folder);
  const std::string file = named ? request.annotations : folder.at("annotations/instances_" + split + ".json");
  const std::string inside = coco_pictures(folder, split);
  const CocoFile coco = read_coco(FileSource(file));
  AnnotatedPictures pictures = named_in(coco, file, inside);
  pictures.path = request.path;
  pictures.classes = request.classes;
  check_coco_pictures(pictures, (fs::path(request.path) / inside).string());
  return coco_dataset(coco, file, std::move(pictures));
}

std::unique_ptr<Dataset> open_coco_truth(const std::string& file, const std::vector<std::string>& classes) {
  const CocoFile coco = read_coco(FileSource(file));
  AnnotatedPictures pictures = named_in(coco, file, "");
  pictures.path = file;
  pictures.classes = classes;
  pictures.stored = false;
  return coco_dataset(coco, file, std::move(pictures));
}

}  // namespace gpueval::data
