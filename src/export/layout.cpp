// SPDX-License-Identifier: Apache-2.0
#include "export/layout.h"

#include <algorithm>

namespace gpueval::onnx_export {

void conv_from_keras(std::span<const float> kernel, const ConvDesc& desc, std::span<float> dst) {
  if (desc.depthwise) {  // (kh, kw, c, 1) is [R][S][C]
    std::ranges::copy(conv_from_krsc(kernel, desc), dst.begin());
    return;
  }
  const auto taps = static_cast<std::size_t>(desc.window.kernel_h) * static_cast<std::size_t>(desc.window.kernel_w);
  const auto c = static_cast<std::size_t>(desc.group_channels()), k = static_cast<std::size_t>(desc.k);
  std::size_t to = 0;
  for (std::size_t filter = 0; filter < k; ++filter)
    for (std::size_t channel = 0; channel < c; ++channel)
      for (std::size_t tap = 0; tap < taps; ++tap) dst[to++] = kernel[(tap * c + channel) * k + filter];
}

void dense_from_keras(std::span<const float> kernel, const Shape& src, std::span<float> dst) {
  const auto pixels = static_cast<std::size_t>(src.h) * static_cast<std::size_t>(src.w);
  const auto c = static_cast<std::size_t>(src.c), units = kernel.size() / (pixels * c);
  std::size_t to = 0;
  for (std::size_t unit = 0; unit < units; ++unit)
    for (std::size_t channel = 0; channel < c; ++channel)
      for (std::size_t pixel = 0; pixel < pixels; ++pixel) dst[to++] = kernel[(pixel * c + channel) * units + unit];
}

}  // namespace gpueval::onnx_export
