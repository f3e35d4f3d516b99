// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gpueval/dataset.h"

namespace gpueval::data {

// Class ids of the `count` elements of `arrays`: an .npy of integers of any width, N or N x 1, or a text with one id a
// line. Error for other counts, and for what is no class of `rules`. Sets truth.mapping.
std::vector<int> read_array_labels(const std::string& path, const std::string& arrays, std::size_t count,
                                   const LabelRules& rules, GroundTruth& truth);

}  // namespace gpueval::data
