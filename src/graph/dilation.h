// SPDX-License-Identifier: Apache-2.0
// A dilated convolution (stride 1) as one without: its source's every rate-th row and column are pictures of their own,
// laid one below the other, in which the window is dense.
#pragma once

#include <optional>

#include "gpueval/graph.h"

namespace gpueval {

struct Dilation {
  SpaceToBatch before;
  Window window;  // of the convolution between them, depthwise or not; its weights are the dilated one's
  BatchToSpace after;
  bool operator==(const Dilation&) const = default;
};

// The convolution that window describes (kernel, stride 1, and the padding that its kernel has once dilated:
// (kernel - 1) * rate + 1 rows or columns) on a source of h x w. Error where no row or column of the result is left.
Dilation dilation(int h, int w, const Window& window, int rate_h, int rate_w);

// Back: the dilated window of which dilation() makes these three on a source of h x w; nullopt where it makes others.
std::optional<Window> dilated_window(const Dilation& parts, int h, int w);

}  // namespace gpueval
