// SPDX-License-Identifier: Apache-2.0
// Where files are looked for that the command line does not name.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gpueval::cli {

// The first of `names` in ~/.keras/models, $GPUEVAL_DATA and its sub-folders, or the current folder.
std::optional<std::string> find_file(const std::vector<std::string>& names);
std::string searched_places();  // for messages: "~/.keras/models, $GPUEVAL_DATA (not set) and the current folder"

}  // namespace gpueval::cli
