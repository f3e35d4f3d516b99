// SPDX-License-Identifier: Apache-2.0
// 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3) (AVX-512): a quarter of the multiply-adds. float32 throughout,
// but the transforms add and subtract values several times an output's size: errors are some times those of a plain
// sum (tests/cpu/winograd_test.cpp holds them to the plain sum's bound).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cpu/float32/float_conv.h"
#include "cpu/winograd_grid.h"

namespace gpueval::cpu {

class WinogradConv {
 public:
  // As FloatConv; desc must be one that winograd_fits().
  WinogradConv(const ConvDesc& desc, std::span<const float> weights, std::span<const float> bias, Activation act);
  void run(const FloatConvArgs& args) const;  // several threads may, at once

 private:
  struct Chunk;
  void pack(std::span<const float> weights);
  void transform_input(const FloatConvArgs& args, const Chunk& chunk, std::int64_t first, std::int64_t end) const;
  void multiply(const Chunk& chunk, std::int64_t first, std::int64_t end) const;
  void transform_output(const FloatConvArgs& args, const Chunk& chunk, std::int64_t first, std::int64_t end) const;

  ConvDesc desc_;
  float lo_, hi_;
  WinogradGrid grid_;
  int blocks_;
  std::int64_t block_floats_, chunk_tiles_;
  AlignedBuffer weights_;  // [point][block of output channels][source channel][its lanes]
  std::vector<float> bias_;
};

}  // namespace gpueval::cpu
