// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gpueval/truth.h"

namespace gpueval {

// A PNG of 8 bits with PASCAL VOC's palette, whose indices are the classes. Its folder is made. Error that names the
// file and why.
void write_label_map(const std::string& path, const LabelMap& map);

}  // namespace gpueval
