// SPDX-License-Identifier: Apache-2.0
// COCO's instances_*.json: https://cocodataset.org/#format-data
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gpueval/dataset.h"
#include "io/data/annotated/box_dataset.h"
#include "io/data/byte_source.h"

namespace gpueval::data {

struct CocoImage {
  std::int64_t id = 0;
  std::string file_name;
  PictureSize size;  // may be not known
};

struct CocoAnnotation {
  std::int64_t image = 0, category = 0;
  Box box;
  double area = 0;
  bool crowd = false;
};

struct CocoCategory {
  std::int64_t id = 0;
  std::string name;
};

struct CocoFile {
  std::vector<CocoImage> images;            // by id, which differ
  std::vector<CocoAnnotation> annotations;  // as in the file; of images and categories that there are
  std::vector<CocoCategory> categories;     // by id; ids and names differ
};

// In one pass, without the masks: the memory is that of what is kept, however long the file. Error that names the
// element for what is missing or no number, sizes below zero, ids that stand twice or mean nothing.
CocoFile read_coco(const ByteSource& source);

// Boxes of the file's images in the order of their ids. classes: the network's, matched by name; if empty they become
// the file's, by id. Error for a category with boxes that is no class. file: for messages.
BoxSet coco_boxes(const CocoFile& coco, const std::string& file, std::vector<std::string>& classes);

// The truth of an instances_*.json without its pictures: decode() is an Error.
std::unique_ptr<Dataset> open_coco_truth(const std::string& file, const std::vector<std::string>& classes);

}  // namespace gpueval::data
