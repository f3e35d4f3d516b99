// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "gpueval/dataset.h"

namespace gpueval::data {

// A folder of this name is certainly a class: a WordNet id or a class id, for a network of ImageNet's classes.
bool names_a_class(const std::string& folder, const LabelRules& rules);

struct ClassIds {
  std::vector<int> ids;  // one a name
  std::string mapping;
};
// Class ids of folders. For ImageNet's classes, WordNet ids ("n01440764", "n01440764-tench"), class ids ("17", "017")
// and class names ("great_white_shark") are certain, in any subset. Other names are numbered in text order as Keras
// does it, and their count must be the network's. Error naming `where` else; `empty`: folders without pictures, for
// that message.
ClassIds class_ids_of_folders(const std::string& where, const std::vector<std::string>& names,
                              const std::vector<std::string>& empty, const LabelRules& rules);

}  // namespace gpueval::data
