// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/layouts.h"

#include <algorithm>
#include <vector>

#include "core/near_miss.h"
#include "gpueval/error.h"
#include "io/data/annotated/annotated_files.h"

namespace gpueval {
namespace {

struct Layout {
  const char* name;
  std::vector<const char*> folders;  // all of them are there
  TruthKind truth;
  std::unique_ptr<Dataset> (*open)(const data::AnnotatedFolder&);
};

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      {"PASCAL VOC", {"JPEGImages", "Annotations"}, TruthKind::kBoxes, data::open_voc_boxes},
      {"PASCAL VOC", {"JPEGImages", "SegmentationClass"}, TruthKind::kLabelMap, data::open_voc_label_maps},
      {"COCO", {"annotations"}, TruthKind::kBoxes, data::open_coco},
      {"Cityscapes", {"leftImg8bit", "gtFine"}, TruthKind::kLabelMap, data::open_cityscapes},
      {"a folder of masks", {"images", "masks"}, TruthKind::kLabelMap, data::open_mask_folder},
  };
  return all;
}

bool has(const std::string& folder, const Layout& layout) {
  return std::all_of(layout.folders.begin(), layout.folders.end(), [&](const char* name) {
    std::error_code ignored;
    return std::filesystem::is_directory(std::filesystem::path(folder) / name, ignored);
  });
}

const Layout* layout_of(const std::string& folder, TruthKind truth) {
  for (const Layout& layout : layouts()) {
    if (layout.truth == truth && has(folder, layout)) return &layout;
  }
  return nullptr;
}

// Archives unpack to a folder in a folder: VOCdevkit/VOC2012.
const Layout* find_layout(data::AnnotatedFolder& folder) {
  constexpr int kWrappings = 3;
  for (int depth = 0;; ++depth) {
    const Layout* layout = layout_of(folder.where(), folder.request.truth);
    const std::vector<std::string> inner = data::folders_in(folder.where());
    if (layout != nullptr || depth == kWrappings || inner.empty()) return layout;
    std::vector<std::string> fitting;
    for (const std::string& name : inner) {
      if (layout_of(folder.at(name), folder.request.truth) != nullptr) fitting.push_back(name);
    }
    if (fitting.size() > 1)
      fail_usage("{}: holds several data sets, name one of {}", folder.where(), data::some_of(fitting));
    if (fitting.empty() && inner.size() > 1) return nullptr;
    folder.inside = folder.below(fitting.empty() ? inner.front() : fitting.front());
  }
}

[[noreturn]] void no_layout(const AnnotatedRequest& request) {
  const bool boxes = request.truth == TruthKind::kBoxes;
  for (const Layout& layout : layouts()) {
    if (!has(request.path, layout)) continue;
    fail("{}: expected {}, found those of {}, which has {} alone", request.path, boxes ? "boxes" : "label maps",
         layout.name, boxes ? "label maps" : "boxes");
  }
  const auto found = data::folders_in(request.path);
  fail(
      "{}: expected {}, found {}", request.path,
      boxes
          ? "JPEGImages beside Annotations (PASCAL VOC), annotations/instances_*.json (COCO), or pictures and the name "
            "of a JSON with their boxes"
          : "JPEGImages beside SegmentationClass (PASCAL VOC), leftImg8bit beside gtFine (Cityscapes), or images "
            "beside masks",
      found.empty() ? "no folders" : "the folders " + data::some_of(found));
}

}  // namespace

std::string data::split_folder(const std::string& folder, const std::string& split) {
  const std::vector<std::string> there = folders_in(folder);
  if (split.empty() && there.size() == 1) return there.front();
  if (split.empty()) fail_usage("{}: expected the name of a split, as there are several: {}", folder, some_of(there));
  if (std::find(there.begin(), there.end(), split) != there.end()) return split;
  fail_usage("{}: has no split {}; there are {}{}", folder, split, some_of(there), did_you_mean(split, there));
}

bool is_annotated(const AnnotatedRequest& request) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(request.path, ignored)) return false;
  data::AnnotatedFolder folder{request, ""};
  return !request.annotations.empty() || find_layout(folder) != nullptr;
}

std::unique_ptr<Dataset> open_annotated(const AnnotatedRequest& request) {
  GPUEVAL_CHECK(request.truth == TruthKind::kBoxes || request.truth == TruthKind::kLabelMap, "truth {}",
                static_cast<int>(request.truth));
  std::error_code ignored;
  if (!std::filesystem::is_directory(request.path, ignored))
    fail("{}: expected a folder of pictures with boxes or label maps, found {}", request.path,
         std::filesystem::exists(request.path, ignored) ? "a file" : "nothing");
  data::AnnotatedFolder folder{request, ""};
  if (!request.annotations.empty()) {
    if (request.truth != TruthKind::kBoxes)
      fail_usage("{}: holds boxes, but label maps are what is judged", request.annotations);
    return data::open_coco(folder);
  }
  const Layout* layout = find_layout(folder);
  if (layout == nullptr) no_layout(request);
  return layout->open(folder);
}

}  // namespace gpueval
