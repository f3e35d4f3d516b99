// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/images.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace gpueval {
namespace {

void mirror(float* image, const Shape& shape) {
  const std::int64_t c = shape.c;
  for (std::int64_t row = 0; row < shape.h; ++row) {
    float* left = image + row * shape.w * c;
    for (float* right = left + (shape.w - 1) * c; left < right; left += c, right -= c) {
      std::swap_ranges(left, left + c, right);
    }
  }
}

}  // namespace

CalibrationImages with_flips(CalibrationImages images, const Shape& image) {
  return [=]() -> BatchSource {
    struct State {
      BatchSource source;
      bool mirrored = false;
    };
    auto state = std::make_shared<State>(State{images()});
    return [=](std::vector<float>& batch, int most) {
      int n = state->source(batch, most);
      if (n == 0 && !state->mirrored) {
        *state = {images(), true};
        n = state->source(batch, most);
      }
      for (int i = 0; state->mirrored && i < n; ++i) mirror(batch.data() + i * image.elements(), image);
      return n;
    };
  };
}

}  // namespace gpueval
