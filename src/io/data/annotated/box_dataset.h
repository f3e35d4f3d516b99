// SPDX-License-Identifier: Apache-2.0
// Pictures with boxes, which are all held: 56 bytes each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/data/annotated/annotated_dataset.h"

namespace gpueval::data {

struct BoxSet {
  std::vector<std::size_t> first = {0};  // picture i has boxes first[i] to first[i + 1] - 1
  std::vector<TruthBox> boxes;
  std::vector<PictureSize> sizes;          // one a picture; may be not known
  std::vector<std::string> files;          // that the boxes were read from: one a picture, or one
  std::vector<std::int64_t> image_ids;     // one a picture
  std::vector<std::int64_t> category_ids;  // one a class; empty: from 1
  bool inside = false;                     // boxes beyond the picture are errors
};

// Notes on crowds, difficult boxes and pictures without any.
void tell_boxes(const BoxSet& set, GroundTruth& truth);

std::unique_ptr<Dataset> box_dataset(AnnotatedPictures pictures, BoxSet set);

}  // namespace gpueval::data
