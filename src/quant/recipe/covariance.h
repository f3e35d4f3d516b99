// SPDX-License-Identifier: Apache-2.0
// What a layer's integer inputs look like at sampled output positions: their covariance, and their covariance with the
// float network's output. Sums of products of integers are exact, so the covariance depends on no order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpueval/conv_desc.h"
#include "quant/recipe/cholesky.h"
#include "quant/recipe/image_tensor.h"

namespace gpueval {

// Output positions (image * p * q + row * q + column) in ascending order, evenly spread, about `wanted` of them.
std::vector<std::int64_t> sample_positions(std::int64_t images, std::int64_t pixels, std::int64_t wanted);

// The inputs of one output position: [R][S][C of a group], the zero point where padded. A dense layer is a 1x1
// convolution of one pixel.
class Patches {
 public:
  Patches(const ImageTensor& src, int zero_point, const ConvDesc& desc, std::span<const std::int64_t> positions)
      : src_(src), zero_point_(zero_point), desc_(desc), positions_(positions) {}
  std::size_t count() const { return positions_.size(); }
  std::size_t depth() const;       // R * S * C of a group, depthwise R * S * C
  Patches group(int index) const;  // of the channels that one group reads; without it, of the first
  // As floats, minus `shift`: which keeps covariances, and squares small.
  void gather(std::size_t position, float shift, float* patch) const;
  float shift() const { return src_.dtype == DType::kU8 ? 128.0f : 0.0f; }

 private:
  const ImageTensor& src_;
  int zero_point_;
  const ConvDesc& desc_;
  std::span<const std::int64_t> positions_;
  int first_channel_ = 0;
};

struct Covariance {
  SquareMatrix inputs;          // depth x depth
  std::vector<double> outputs;  // [outputs][depth]: Cov(y, x); empty without y
};

// y: [positions][outputs], or empty.
Covariance covariance(const Patches& patches, std::span<const float> y, std::size_t outputs);
// Depthwise: one a channel, R * S inputs each and one output.
std::vector<Covariance> depthwise_covariance(const Patches& patches, std::span<const float> y, std::size_t channels);

}  // namespace gpueval
