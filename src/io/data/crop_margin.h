// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

namespace gpueval {

// The short side of a picture from whose centre an input is cropped: 256 for 224 and 227 as published, 342 for 299;
// else the proportion of 256 to 224. Never below the input's.
inline int crop_short_side(int input_height, int input_width) {
  const int side = std::min(input_height, input_width);
  return side >= 224 && side <= 227 ? 256 : (side * 8 + 3) / 7;
}

}  // namespace gpueval
