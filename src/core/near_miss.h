// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace gpueval {

// "; did you mean mobilenet?" for the nearest of `names` within a third of its letters (Levenshtein distance, 1966,
// two neighbours exchanged counting as one); empty where none is near.
std::string did_you_mean(const std::string& typed, const std::vector<std::string>& names);

}  // namespace gpueval
