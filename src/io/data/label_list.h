// SPDX-License-Identifier: Apache-2.0
// Ground-truth lists in the forms that people have them: docs/formats.md, "Lists of labels".
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gpueval/dataset.h"

namespace gpueval::data {

struct ListedLabel {
  std::size_t line = 0;  // counted from 1
  std::string name;      // as written; empty in a list without names
  int label = 0;
};

struct LabelList {
  std::string path;
  std::vector<ListedLabel> entries;  // not empty
  bool named = false;                // else one label a line, in the order of the sorted file names
  bool synsets = false;              // else class ids
};

// Error naming file and line for whatever is no such list, and for labels that are not classes of `rules`.
LabelList read_label_list(const std::string& path, const LabelRules& rules);

// A list's labels for pictures side by side in a folder (their sorted names): matched by base name, whatever folder the
// list has in front and whatever picture extension behind. Error for a picture without a label, or with two.
struct MatchedLabels {
  std::vector<int> labels;  // one a picture
  GroundTruth truth;
};
MatchedLabels match_labels(const LabelList& list, const std::string& folder, const std::vector<std::string>& pictures);

}  // namespace gpueval::data
