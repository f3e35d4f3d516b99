// SPDX-License-Identifier: Apache-2.0
// A single-shot detector's answer, and what it takes to find it in the network's outputs. The arithmetic is
// src/task/detection/decode.h's on every device, to the bit.
#pragma once

#include <cstddef>

#include "gpueval/priors.h"

namespace gpueval {

struct FoundBox {
  int category = 0;
  float score = 0;
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;  // in parts of the input, not clipped
};

// Which output has the offsets, and which the scores.
struct DetectorOutputs {
  std::size_t boxes = 0, scores = 0;
};

struct Detector {
  Priors priors;  // with the thresholds to be used
  DetectorOutputs outputs;
};

}  // namespace gpueval
