// SPDX-License-Identifier: Apache-2.0
// What the depthwise kernels share: a thread owns four channels, the four bytes of one word. Four taps of one channel
// make a word of dp4a, so words of four taps are transposed (transpose_4x4) into words of four channels; weights are
// packed that way, [tap group][channel][4 taps].
#pragma once

#include "cuda/conv/depthwise_pack.h"
#include "cuda/conv/epilogue.h"
#include "cuda/prim/bytes.h"

namespace gpueval::GPUEVAL_TARGET {

struct DepthwiseParams {
  Epilogue epilogue;
  const std::uint8_t* src;
  const std::int8_t* weights;
  int h, w, p, q, src_pitch, weight_pitch;
  int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
  std::uint32_t padding;          // four channels of a padded tap
  int groups;                     // of four channels
  int column_blocks, row_blocks;  // per image, of what one thread computes
  unsigned threads;               // that have work
  bool word_stores;
};

inline DepthwiseParams make_depthwise_params(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int columns,
                                             int rows) {
  const ConvDesc& d = problem.desc;
  DepthwiseParams params{.epilogue = make_epilogue(problem, args),
                         .src = static_cast<const std::uint8_t*>(args.src),
                         .weights = static_cast<const std::int8_t*>(args.weights),
                         .h = d.h,
                         .w = d.w,
                         .p = d.p(),
                         .q = d.q(),
                         .src_pitch = problem.src_pitch,
                         .weight_pitch = cuda::depthwise_weight_pitch(d),
                         .kernel_h = d.window.kernel_h,
                         .kernel_w = d.window.kernel_w,
                         .stride_h = d.window.stride_h,
                         .stride_w = d.window.stride_w,
                         .pad_top = d.window.pad.top,
                         .pad_left = d.window.pad.left,
                         .padding = static_cast<std::uint32_t>(problem.src_zero_point) * 0x01010101u};
  params.groups = (d.c + 3) / 4;
  params.column_blocks = (params.q + columns - 1) / columns;
  params.row_blocks = (params.p + rows - 1) / rows;
  params.threads = static_cast<unsigned>(args.n) * static_cast<unsigned>(params.row_blocks) *
                   static_cast<unsigned>(params.column_blocks) * static_cast<unsigned>(params.groups);
  params.word_stores =
      problem.dst != DType::kF32 && problem.dst_pitch % 4 == 0 && reinterpret_cast<std::uintptr_t>(args.dst) % 4 == 0;
  return params;
}

// Which outputs a thread computes: neighbouring threads have neighbouring channels, then columns.
struct DepthwisePlace {
  int image, p, q, channel;
};
GPUEVAL_DEVICE DepthwisePlace depthwise_place(const DepthwiseParams& a, unsigned thread, int columns, int rows) {
  const auto groups = static_cast<unsigned>(a.groups), column_blocks = static_cast<unsigned>(a.column_blocks),
             row_blocks = static_cast<unsigned>(a.row_blocks);
  const unsigned block = thread / groups, row = block / column_blocks;
  return {.image = static_cast<int>(row / row_blocks),
          .p = static_cast<int>(row % row_blocks) * rows,
          .q = static_cast<int>(block % column_blocks) * columns,
          .channel = static_cast<int>(thread % groups) * 4};
}

// m and b of a thread's four channels, read once; channels beyond the last are zero and never stored.
struct ChannelFactors {
  float m[4], b[4];
  int count;
};
GPUEVAL_DEVICE ChannelFactors channel_factors(const Epilogue& e, int channel, int image) {
  ChannelFactors f;
  f.count = e.k - channel < 4 ? e.k - channel : 4;
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) {
    const bool real = i < f.count;
    f.m[i] = !real ? 0.0f : e.image_scale != nullptr ? e.image_scale[image] : e.m[channel + i];
    f.b[i] = real ? e.b[channel + i] : 0.0f;
  }
  return f;
}

// Requantizes and stores four channels of one output pixel; acc: the sums as floats.
GPUEVAL_DEVICE void store_four(const DepthwiseParams& a, const ChannelFactors& f, int row, int channel,
                               const float (&acc)[4]) {
  const Epilogue& e = a.epilogue;
  const std::int64_t at = static_cast<std::int64_t>(row) * e.dst_pitch + channel;
  std::uint32_t bits[4];
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) {
    const int r = e.residual != nullptr && i < f.count ? residual_at(e, row, channel + i) : 0;
    const float v = epilogue_value_of(e, acc[i], f.m[i], f.b[i], r);
    if (e.dst_float && i < f.count) static_cast<float*>(e.dst)[at + i] = v;
    bits[i] = round_to_low_bits(min_of(v, e.hi));
  }
  if (e.dst_float) return;
  auto* dst = static_cast<std::uint8_t*>(e.dst) + at;
  if (a.word_stores && f.count == 4) {
    store_global(dst,
                 byte_permute(byte_permute(bits[0], bits[1], 0x0040), byte_permute(bits[2], bits[3], 0x0040), 0x5410));
    return;
  }
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) {
    if (i < f.count) dst[i] = static_cast<std::uint8_t>(bits[i]);
  }
}

}  // namespace gpueval::GPUEVAL_TARGET
