// SPDX-License-Identifier: Apache-2.0
#include "cuda/conv/pack.h"

#include <algorithm>

#include "gpueval/error.h"

namespace gpueval::cuda {

std::vector<std::int8_t> pack_padded(const ConvProblem& problem, std::span<const std::int8_t> weights, int k_multiple,
                                     int c_multiple) {
  const ConvDesc& d = problem.desc;
  const auto channels = static_cast<std::size_t>(d.c), pitch = static_cast<std::size_t>(round_up(d.c, c_multiple));
  const auto taps = static_cast<std::size_t>(d.window.kernel_h * d.window.kernel_w);
  const auto filters = d.depthwise ? std::size_t{1} : static_cast<std::size_t>(d.k);
  const auto rows = d.depthwise ? std::size_t{1} : static_cast<std::size_t>(round_up(d.k, k_multiple));
  GPUEVAL_CHECK(weights.size() == filters * taps * channels, "{} weights for {}", weights.size(), to_string(d));
  std::vector<std::int8_t> packed(rows * taps * pitch, 0);
  for (std::size_t i = 0; i < filters * taps; ++i) {
    std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(i * channels), channels,
                packed.begin() + static_cast<std::ptrdiff_t>(i * pitch));
  }
  return packed;
}

std::vector<std::int8_t> pack_gemm(const ConvProblem& problem, std::span<const std::int8_t> weights, int k_multiple,
                                   int depth_multiple) {
  const std::vector<std::int8_t> dense = pack_padded(problem, weights, k_multiple, 16);
  const ConvDesc& d = problem.desc;
  const int depth = d.window.kernel_h * d.window.kernel_w * round_up(d.c, 16);
  const auto from = static_cast<std::ptrdiff_t>(depth),
             to = static_cast<std::ptrdiff_t>(round_up(depth, depth_multiple));
  const std::ptrdiff_t filters = static_cast<std::ptrdiff_t>(dense.size()) / from;
  std::vector<std::int8_t> packed(static_cast<std::size_t>(filters * to), 0);
  for (std::ptrdiff_t i = 0; i < filters; ++i) {
    std::copy_n(dense.begin() + i * from, from, packed.begin() + i * to);
  }
  return packed;
}

}  // namespace gpueval::cuda
