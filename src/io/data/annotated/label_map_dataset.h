// SPDX-License-Identifier: Apache-2.0
// Pictures with label maps, which are read when they are asked for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/data/annotated/annotated_dataset.h"

namespace gpueval::data {

struct LabelMapFiles {
  std::vector<std::string> masks;       // relative to the pictures' path, one a picture
  std::vector<std::int64_t> image_ids;  // empty: from 1
  ClassMap map;                         // of the files' values
};

std::unique_ptr<Dataset> label_map_dataset(AnnotatedPictures pictures, LabelMapFiles files);

}  // namespace gpueval::data
