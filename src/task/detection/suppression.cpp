// SPDX-License-Identifier: Apache-2.0
#include "task/detection/decode.h"

#include <cstdint>

#include "task/detection/arithmetic.h"

namespace gpueval {

std::vector<std::size_t> non_maximum_suppression(const Candidates& boxes, float threshold) {
  const std::size_t count = boxes.size();
  std::vector<float> area(count);
  for (std::size_t i = 0; i < count; ++i)
    area[i] = detector::area_of({boxes.x1[i], boxes.y1[i], boxes.x2[i], boxes.y2[i]});
  // Whole numbers as wide as the floats, so that the loop vectorises.
  std::vector<std::int32_t> gone(count, 0);
  const float *x1 = boxes.x1.data(), *y1 = boxes.y1.data(), *x2 = boxes.x2.data(), *y2 = boxes.y2.data();
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < count; ++i) {
    if (gone[i] != 0) continue;
    kept.push_back(i);
    const detector::Edges box{x1[i], y1[i], x2[i], y2[i]};
    const float own = area[i];
    std::int32_t* out = gone.data();
    const float* areas = area.data();
    for (std::size_t j = i + 1; j < count; ++j) {
      out[j] |= detector::overlap(box, own, {x1[j], y1[j], x2[j], y2[j]}, areas[j], threshold) ? 1 : 0;
    }
  }
  return kept;
}

}  // namespace gpueval
