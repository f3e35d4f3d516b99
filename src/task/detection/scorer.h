// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "gpueval/detector.h"
#include "gpueval/task.h"

namespace gpueval {

// The priors that the options name, with their thresholds where they are given, for a network of these outputs: where
// the network's file has the sigmoid or softmax that was taken off an output, scores are logits. Error for priors that
// do not fit.
Priors priors_for(const Shape& input, std::span<const NetworkOutput> outputs, const TaskOptions& options);

// Error where the priors name none of them, or none has their shape.
DetectorOutputs detector_outputs(const Priors& priors, std::span<const NetworkOutput> outputs);

// The answer in pixels of the picture, not clipped; boxes that are not finite are left out.
std::vector<Detection> detections(const Priors& priors, const DetectorOutputs& which, ImageOutputs outputs,
                                  const Shape& input, const Geometry& geometry);

std::unique_ptr<Scorer> detection_scorer(Priors priors, const DetectorOutputs& which, const Shape& input);

}  // namespace gpueval
