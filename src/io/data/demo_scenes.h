// SPDX-License-Identifier: Apache-2.0
// Pictures of several of the demo's shapes, with their outlines and boxes. The same bytes on every machine.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "gpueval/image.h"
#include "gpueval/truth.h"

namespace gpueval::data {

inline constexpr std::array<const char*, 5> kSceneClasses = {"disc", "ring", "square", "triangle", "cross"};

struct DemoScene {
  Image image;                  // 96 x 96
  LabelMap map;                 // 0: background, 1 + category
  std::vector<TruthBox> boxes;  // of what is seen of each shape
};
DemoScene draw_demo_scene(std::uint64_t seed, std::uint64_t index);

}  // namespace gpueval::data
