// SPDX-License-Identifier: Apache-2.0
// The layouts that open_annotated() tells apart by their folders.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/data/annotated/annotated_dataset.h"

namespace gpueval::data {

struct AnnotatedFolder {
  const AnnotatedRequest& request;
  std::string inside;  // from request.path to where the layout's folders are; may be empty

  std::string where() const {
    return inside.empty() ? request.path : (std::filesystem::path(request.path) / inside).string();
  }
  std::string below(const std::string& name) const { return (std::filesystem::path(inside) / name).string(); }
  std::string at(const std::string& name) const { return (std::filesystem::path(where()) / name).string(); }
};

std::unique_ptr<Dataset> open_voc_boxes(const AnnotatedFolder& folder);       // JPEGImages, Annotations
std::unique_ptr<Dataset> open_voc_label_maps(const AnnotatedFolder& folder);  // JPEGImages, SegmentationClass
std::unique_ptr<Dataset> open_coco(const AnnotatedFolder& folder);            // annotations, or request.annotations
std::unique_ptr<Dataset> open_cityscapes(const AnnotatedFolder& folder);      // leftImg8bit, gtFine
std::unique_ptr<Dataset> open_mask_folder(const AnnotatedFolder& folder);     // images, masks

// The sub-folder that a split is: the named one, or the only one of `folder` if none is named. Error that names those
// that there are.
std::string split_folder(const std::string& folder, const std::string& split);

}  // namespace gpueval::data
