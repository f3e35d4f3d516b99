// SPDX-License-Identifier: Apache-2.0
// One benchmark convolution with random data, and its true result at sampled pixels.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gpueval/conv_desc.h"
#include "reference/reference.h"

namespace gpueval::bench {

enum class SourceBytes { kAll, kBelow128 };  // kBelow128: the same numbers as u8 and as s8

// u8 source and destination, s8 weights; scales such that outputs spread over 0..255 and some are clamped.
class Problem {
 public:
  ConvDesc desc;
  reference::QuantTensor src;
  std::vector<std::int8_t> weights;  // [K][R][S][C], depthwise [R][S][C]
  std::vector<float> m, b;

  explicit Problem(const ConvDesc& desc, SourceBytes range = SourceBytes::kAll);

  // The reference's bytes of one output pixel, all channels.
  std::vector<std::uint8_t> expected(int n, int p, int q) const;
  // Compares up to eight pixels; pixel(index) returns the k bytes of output pixel `index` of the batch. Empty, or where
  // the first difference above `tolerance` is.
  std::string verify(const std::function<std::vector<std::uint8_t>(std::int64_t index)>& pixel,
                     int tolerance = 0) const;

 private:
  struct Sample {
    int n, p, q;
    std::vector<std::uint8_t> bytes;
  };
  const std::vector<Sample>& samples() const;
  mutable std::vector<Sample> samples_;  // computed once
};

// The problem of a shape, made once for all kernels that run it one after the other.
std::shared_ptr<const Problem> shared_problem(const ConvDesc& desc, SourceBytes range = SourceBytes::kAll);

}  // namespace gpueval::bench
