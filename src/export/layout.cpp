// SPDX-License-Identifier: Apache-2.0
#include "export/layout.h"

namespace gpueval::onnx_export {

std::vector<float> conv_from_keras(std::span<const float> kernel, const ConvDesc& desc) {
  if (desc.depthwise) return conv_from_krsc(kernel, desc);  // (kh, kw, c, 1) is [R][S][C]
  const auto taps = static_cast<std::size_t>(desc.window.kernel_h) * static_cast<std::size_t>(desc.window.kernel_w);
  const auto c = static_cast<std::size_t>(desc.c), k = static_cast<std::size_t>(desc.k);
  std::vector<float> result(kernel.size());
  std::size_t to = 0;
  for (std::size_t filter = 0; filter < k; ++filter)
    for (std::size_t channel = 0; channel < c; ++channel)
      for (std::size_t tap = 0; tap < taps; ++tap) result[to++] = kernel[(tap * c + channel) * k + filter];
  return result;
}

std::vector<float> dense_from_keras(std::span<const float> kernel, const Shape& src) {
  const auto pixels = static_cast<std::size_t>(src.h) * static_cast<std::size_t>(src.w);
  const auto c = static_cast<std::size_t>(src.c), units = kernel.size() / (pixels * c);
  std::vector<float> result(kernel.size());
  std::size_t to = 0;
  for (std::size_t unit = 0; unit < units; ++unit)
    for (std::size_t channel = 0; channel < c; ++channel)
      for (std::size_t pixel = 0; pixel < pixels; ++pixel) result[to++] = kernel[(pixel * c + channel) * units + unit];
  return result;
}

}  // namespace gpueval::onnx_export
