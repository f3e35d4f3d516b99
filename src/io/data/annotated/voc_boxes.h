// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/data/annotated/box_dataset.h"

namespace gpueval::data {

// The boxes of FOLDER/ID.xml. classes: those that the names are of; if empty they become the data's own, sorted, which
// are VOC's 20 if these hold all of them. Error for an XML that is missing and for a name that is no class.
BoxSet read_voc_boxes(const std::string& folder, const std::vector<std::string>& ids,
                      std::vector<std::string>& classes);

}  // namespace gpueval::data
