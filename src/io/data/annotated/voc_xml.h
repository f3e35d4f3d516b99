// SPDX-License-Identifier: Apache-2.0
// One annotation of PASCAL VOC, read by pugixml: https://host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gpueval/truth.h"
#include "io/data/annotated/picture_size.h"

namespace gpueval::data {

struct VocObject {
  std::string name;
  Box box;  // as TruthBox has it
  bool difficult = false;
};

struct VocAnnotation {
  PictureSize size;  // not known where the file has none, or zeros
  std::vector<VocObject> objects;
};

// Boxes of parts (hands of persons) are passed over. Error that names file and object for XML that is no <annotation>,
// for boxes whose corners are no finite numbers, in the wrong order or more than a pixel outside of the picture.
VocAnnotation parse_voc_annotation(std::string_view xml, const std::string& name);
VocAnnotation read_voc_annotation(const std::string& path);  // of at most 8 MB

// Boxes may be drawn up to a pixel beyond the edge. `what` begins the sentence.
void check_box_inside(const Box& box, const PictureSize& size, const std::string& what);

}  // namespace gpueval::data
