// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpueval/conv_desc.h"
#include "gpueval/tensor.h"

namespace gpueval::reference {

// Calls visit(h, w, tap) for the real taps of output pixel (p, q).
template <typename Visit>
void for_each_tap(const Window& window, const Shape& in, int p, int q, Visit&& visit) {
  for (int r = 0; r < window.kernel_h; ++r) {
    for (int s = 0; s < window.kernel_w; ++s) {
      const int h = p * window.stride_h - window.pad.top + r * window.dilation_h;
      const int w = q * window.stride_w - window.pad.left + s * window.dilation_w;
      if (h >= 0 && h < in.h && w >= 0 && w < in.w) visit(h, w, r * window.kernel_w + s);
    }
  }
}

}  // namespace gpueval::reference
