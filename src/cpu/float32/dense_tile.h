// SPDX-License-Identifier: Apache-2.0
// Some output channels of a dense layer, from weights that lie as Keras stores them.
//
// Included by a translation unit with its own -m flags: plain structs only.
#pragma once

#include <cstdint>

namespace gpueval::cpu {

constexpr int kDenseChannels = 32;  // summed by one core at a time
constexpr int kDenseRows = 8;       // inputs taken together

// dst[i][k] = min(max(bias[k] + sum over c of src[i][c] * weights[c][k], lo), hi), c ascending. Strides are floats.
struct DenseTileArgs {
  const float* src = nullptr;  // [c / kDenseRows][image][c % kDenseRows]; of one image: as it lies
  int images = 1, depth = 0;
  const float* weights = nullptr;
  std::int64_t weights_stride = 0;  // from c to c + 1
  const float* bias = nullptr;
  int channels = 0;  // a multiple of kDenseChannels
  float* dst = nullptr;
  std::int64_t dst_stride = 0;
  float lo = 0, hi = 0;
};

#if defined(__x86_64__)
void dense_avx512(const DenseTileArgs& args);
#endif

}  // namespace gpueval::cpu
