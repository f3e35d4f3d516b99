// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace gpueval {

struct Image {
  int height = 0, width = 0;
  std::vector<std::uint8_t> rgb;  // height x width x 3, R, G, B; grey pictures have three equal channels
};

}  // namespace gpueval
