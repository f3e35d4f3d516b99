// SPDX-License-Identifier: Apache-2.0
#include "task/detection/decode.h"

#include <algorithm>

#include "task/detection/arithmetic.h"

namespace gpueval {

FoundBox decode_box(const Prior& prior, std::span<const float, 4> offsets, const std::array<float, 4>& variances) {
  const float place[] = {prior.cx, prior.cy, prior.width, prior.height};
  const detector::Edges box = detector::decoded_edges(place, offsets.data(), variances.data());
  return {0, 0, box.x1, box.y1, box.x2, box.y2};
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
