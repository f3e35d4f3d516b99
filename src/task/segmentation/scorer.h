// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gpueval/task.h"

namespace gpueval {

// The map of class logits that an output is: h x w x classes, also where a Reshape made one line of its pixels. Error
// for an output that is no such map for this input.
Shape label_map_shape(const Shape& input, const NetworkOutput& output);

std::unique_ptr<Scorer> segmentation_scorer(const Shape& input, const NetworkOutput& output,
                                            const TaskOptions& options);

}  // namespace gpueval
