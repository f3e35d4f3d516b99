// SPDX-License-Identifier: Apache-2.0
#include "task/detection/decode.h"

#include <cstdint>

namespace gpueval {

std::vector<std::size_t> non_maximum_suppression(const Candidates& boxes, float threshold) {
  const std::size_t count = boxes.size();
  std::vector<float> area(count);
  for (std::size_t i = 0; i < count; ++i) area[i] = (boxes.x2[i] - boxes.x1[i]) * (boxes.y2[i] - boxes.y1[i]);
  // Whole numbers as wide as the floats, so that the loop vectorises.
  std::vector<std::int32_t> gone(count, 0);
  const float *x1 = boxes.x1.data(), *y1 = boxes.y1.data(), *x2 = boxes.x2.data(), *y2 = boxes.y2.data();
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < count; ++i) {
    if (gone[i] != 0) continue;
    kept.push_back(i);
    const float left = x1[i], top = y1[i], right = x2[i], bottom = y2[i], own = area[i];
    std::int32_t* out = gone.data();
    const float* areas = area.data();
    for (std::size_t j = i + 1; j < count; ++j) {
      const float w = (right < x2[j] ? right : x2[j]) - (left > x1[j] ? left : x1[j]);
      const float h = (bottom < y2[j] ? bottom : y2[j]) - (top > y1[j] ? top : y1[j]);
      const float inter = (w > 0 ? w : 0) * (h > 0 ? h : 0);
      out[j] |= inter > threshold * (own + areas[j] - inter) ? 1 : 0;
    }
  }
  return kept;
}

}  // namespace gpueval
