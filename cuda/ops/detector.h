// SPDX-License-Identifier: Apache-2.0
// From a detector's outputs to its boxes on a device, in four steps (docs/gpu.md): each prior's and class's score as a
// key; the best of each class; decoding and suppression within a class; the best of a picture. Every step writes all
// that the next one reads, so nothing has to be cleared.
#pragma once

#include <cstdint>

#include "gpueval/detector.h"

namespace gpueval::cuda {

// A score above the threshold, which is at least 0, as the bits of the float: greater keys are greater scores. 0: none.
using ScoreKey = std::uint32_t;

struct Candidate {
  ScoreKey key;
  std::uint32_t prior;
};

// x1, y1, x2, y2 in parts of the input.
struct BoxEdges {
  float at[4];
};

// Most candidates of a class: as many bits as shared memory has room for, squared.
inline constexpr int kMostCandidates = 512;

struct DetectorPlan {
  int images = 1, priors = 0, classes = 0, channels = 0;  // channels: of the scores, of a prior
  Background background = Background::kNone;
  ScoreForm scores = ScoreForm::kProbabilities;
  float score_threshold = 0;
  float log_threshold = 0, logit_threshold = 0;  // of the score threshold, a little below
  float nms_threshold = 0;
  float variances[4] = {};
  int candidates = 0;  // kept of a class before suppression, at most kMostCandidates
  int found = 0;       // kept of a picture
};

// Of one image.
DetectorPlan detector_plan(const Priors& priors);

}  // namespace gpueval::cuda
