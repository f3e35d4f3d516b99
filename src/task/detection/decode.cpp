// SPDX-License-Identifier: Apache-2.0
#include "task/detection/decode.h"

#include <algorithm>
#include <cmath>

namespace gpueval {

FoundBox decode_box(const Prior& prior, std::span<const float, 4> offsets, const std::array<float, 4>& variances) {
  const float cx = offsets[0] * variances[0] * prior.width + prior.cx;
  const float cy = offsets[1] * variances[1] * prior.height + prior.cy;
  const float width = std::exp(offsets[2] * variances[2]) * prior.width;
  const float height = std::exp(offsets[3] * variances[3]) * prior.height;
  return {0, 0, cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2};
}

std::vector<FoundBox> detect(const Priors& priors, const Thresholds& thresholds, std::span<const float> offsets,
                             std::span<const float> scores) {
  std::vector<FoundBox> found;
  const std::vector<Candidates> classes = candidates(priors, thresholds.score, offsets, scores);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const Candidates& boxes = classes[c];
    for (const std::size_t i : non_maximum_suppression(boxes, static_cast<float>(thresholds.nms)))
      found.push_back({static_cast<int>(c), boxes.score[i], boxes.x1[i], boxes.y1[i], boxes.x2[i], boxes.y2[i]});
  }
  if (priors.keep == 0 || found.size() <= priors.keep) return found;
  std::stable_sort(found.begin(), found.end(), [](const FoundBox& a, const FoundBox& b) { return a.score > b.score; });
  found.resize(priors.keep);
  std::stable_sort(found.begin(), found.end(),
                   [](const FoundBox& a, const FoundBox& b) { return a.category < b.category; });
  return found;
}

}  // namespace gpueval
