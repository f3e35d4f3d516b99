// SPDX-License-Identifier: Apache-2.0
#include "io/data/class_ids.h"

#include <algorithm>

#include "gpueval/error.h"

namespace gpueval::data {

void check_class_ids(const std::string& source, std::span<const int> ids, const LabelRules& rules,
                     const std::function<std::string(std::size_t)>& what) {
  if (rules.classes == 0 || ids.empty()) return;
  const auto [least, most] = std::minmax_element(ids.begin(), ids.end());
  if (*most < rules.classes) return;
  if (*most == rules.classes && *least > 0) {
    fail("{}: its class ids run from {} to {}, so they count from 1; this network's classes are 0 to {}{}", source,
         *least, *most, rules.classes - 1,
         rules.imagenet ? " in Keras's order, and the ILSVRC2012 devkit's ids (ILSVRC2012_validation_ground_truth.txt) "
                          "follow another order, too: take a list of Keras's ids or of WordNet ids (n01440764)"
                        : "");
  }
  const auto first = std::find_if(ids.begin(), ids.end(), [&](int id) { return id >= rules.classes; });
  fail("{}: {}: class id {}, but the network has classes 0 to {}; are these the labels for it?", source,
       what(static_cast<std::size_t>(first - ids.begin())), *first, rules.classes - 1);
}

}  // namespace gpueval::data
