// SPDX-License-Identifier: Apache-2.0
// From a detector's raw outputs to its answer: scores, boxes, non-maximum suppression.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gpueval/detector.h"

namespace gpueval {

struct Thresholds {
  double score = 0.01, nms = 0.45;  // as Priors has them
};
inline Thresholds thresholds_of(const Priors& priors) { return {priors.score_threshold, priors.nms_threshold}; }

// Boxes of one class, in parts of the input, as arrays that vectorise.
struct Candidates {
  std::vector<float> score, x1, y1, x2, y2;
  std::size_t size() const { return score.size(); }
};

// A box from its four offsets (centre x, y, logarithms of the extents): cx = l0 v0 w + cx, w = exp(l2 v2) w, ...
FoundBox decode_box(const Prior& prior, std::span<const float, 4> offsets, const std::array<float, 4>& variances);

// offsets: priors x 4; scores: priors x score_channels(). Every class's boxes with a score above the threshold, the
// keep_before_nms best of them, by descending score (of equal ones the earlier prior first).
std::vector<Candidates> candidates(const Priors& priors, double score_threshold, std::span<const float> offsets,
                                   std::span<const float> scores);

// Greedy: which of the boxes, by descending score, stay: none has an IoU above the threshold with one before it that
// stays. Areas are (x2 - x1) (y2 - y1).
std::vector<std::size_t> non_maximum_suppression(const Candidates& boxes, float threshold);

// All of it: by class, then by descending score; of more than `keep` the best.
std::vector<FoundBox> detect(const Priors& priors, const Thresholds& thresholds, std::span<const float> offsets,
                             std::span<const float> scores);

}  // namespace gpueval
