// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"

namespace gpueval::cli {

struct Input {
  std::string option, path;
};
// The files that a command reads: those named and those that are looked for. Not the pictures of a folder.
std::vector<Input> inputs_of(const Options& options);

}  // namespace gpueval::cli
