// SPDX-License-Identifier: Apache-2.0
// The lists of PASCAL VOC's ImageSets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/data/annotated/annotated_files.h"

namespace gpueval::data {

struct VocSplit {
  std::string where;                       // the list, or the folder of annotations
  std::vector<std::string> ids, pictures;  // "000012", "000012.jpg"
  std::vector<std::int64_t> numbers;       // lines of the list, from 1
};

// FOLDER/SPLIT.txt: an id a line; the second column of the lists of one class (1, 0 or -1) changes nothing. Error for a
// list that is not there (naming those that are) or empty, an id twice, and pictures that are missing.
VocSplit read_voc_split(const std::string& folder, const std::string& split, const PictureStems& pictures);
// All that have an annotation FOLDER/ID and this suffix.
VocSplit whole_voc(const std::string& folder, std::string_view suffix, const PictureStems& pictures);

}  // namespace gpueval::data
