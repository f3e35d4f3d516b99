// SPDX-License-Identifier: Apache-2.0
// Keras's Conv2DTranspose as a convolution of stride 1 whose channels are then laid out as pixels: each pixel of a
// block of stride_h x stride_w of the result has output channels, and taps, of its own.
#pragma once

#include <optional>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval {

struct TransposedWindow {
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  Pad pad = Pad::kValid;
  std::optional<int> output_padding_h, output_padding_w;  // Keras's output_padding
};

struct ConvTranspose {
  Window window;           // of the convolution; ceil(kernel / stride) taps an axis
  int block_channels = 1;  // its output channels are so many times the layer's
  DepthToSpace after;
  int h = 0, w = 0;  // of the result
};
// On a source of h x w. Error where no row or column of the result is left.
ConvTranspose conv_transpose(int h, int w, const TransposedWindow& window);

// Keras's kernel (kernel_h, kernel_w, out, in) as that convolution's: (window.kernel_h, window.kernel_w, in,
// block_channels * out), zeros where a pixel of the block has no tap.
std::vector<float> transposed_kernel(const std::vector<float>& kernel, const TransposedWindow& window, int in, int out);
// Its bias, or whatever belongs to its output channels, for each pixel of the block.
std::vector<float> for_each_block_pixel(const std::vector<float>& channels, int block_channels);

}  // namespace gpueval
