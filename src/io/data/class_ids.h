// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "gpueval/dataset.h"

namespace gpueval::data {

// Labels that are not classes of the network are an Error that begins with `source`; ids that count from 1 (one as
// large as the number of classes, no 0) are told as such. what(i) names label i: "line 7".
void check_class_ids(const std::string& source, std::span<const int> ids, const LabelRules& rules,
                     const std::function<std::string(std::size_t)>& what);

}  // namespace gpueval::data
