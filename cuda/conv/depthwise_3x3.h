// SPDX-License-Identifier: Apache-2.0
// 3x3 depthwise convolution, stride 1 or 2. A thread computes four channels of four columns by kRows rows. It walks
// down the input rows it needs, reads each once (one word a pixel), transposes it into words of four columns a channel
// and keeps the last three rows in registers, as it does the weights. Per channel and row of four outputs:
//   stride 1: columns 0-3 and 2-5; each word serves two outputs, with weights (w0, w1, w2, 0) and (0, w0, w1, w2)
//   stride 2: columns 0-3, 2-5, 4-7, 6-9; one word an output
// so an output costs three dp4a where byte by byte it would be nine multiplications and as many extractions. No shared
// memory: neighbouring threads read neighbouring channels, and columns that two threads share come from the first-level
// cache. Few rows a thread give small maps enough threads, more rows read large maps less often.
#pragma once

#include "cuda/conv/depthwise.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {

inline constexpr unsigned kDepthwiseThreads = 128;
inline constexpr int kDepthwiseColumns = 4;

// Words of one input row, as the outputs want them: [word][channel].
template <int kStride>
struct TapRow {
  static constexpr int kWords = kStride == 1 ? 2 : 4;
  std::uint32_t taps[kWords][4];
};

// Bytes 2 and 3 of words of four columns, then two more columns: pair(a, b) has channel 0 and 1, then 2 and 3.
GPUEVAL_DEVICE void shift_in(const std::uint32_t (&from)[4], std::uint32_t column4, std::uint32_t column5,
                             std::uint32_t (&to)[4]) {
  const std::uint32_t low = byte_permute(column4, column5, 0x5140), high = byte_permute(column4, column5, 0x7362);
  to[0] = byte_permute(from[0], low, 0x5432);
  to[1] = byte_permute(from[1], low, 0x7632);
  to[2] = byte_permute(from[2], high, 0x5432);
  to[3] = byte_permute(from[3], high, 0x7632);
}

template <int kStride>
GPUEVAL_DEVICE TapRow<kStride> load_tap_row(const DepthwiseParams& a, const std::uint8_t* image, int y, int x0) {
  constexpr int kColumns = kStride == 1 ? 6 : 9;
  const std::uint8_t* row = image + static_cast<std::int64_t>(y) * a.w * a.src_pitch;
  const bool real_row = y >= 0 && y < a.h;
  std::uint32_t columns[kColumns];
  GPUEVAL_UNROLL
  for (int i = 0; i < kColumns; ++i) {
    const int x = x0 + i;
    const bool real = real_row && x >= 0 && x < a.w;
    columns[i] = real ? load_global<std::uint32_t>(row + static_cast<std::int64_t>(x) * a.src_pitch) : a.padding;
  }
  TapRow<kStride> out;
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) out.taps[0][i] = columns[i];
  transpose_4x4(out.taps[0]);
  if constexpr (kStride == 1) {
    shift_in(out.taps[0], columns[4], columns[5], out.taps[1]);
  } else {
    GPUEVAL_UNROLL
    for (int i = 0; i < 4; ++i) out.taps[2][i] = columns[4 + i];
    transpose_4x4(out.taps[2]);
    GPUEVAL_UNROLL
    for (int i = 0; i < 4; ++i) {
      out.taps[1][i] = byte_permute(out.taps[0][i], out.taps[2][i], 0x5432);
      // The fourth tap meets a zero weight: any byte will do.
      out.taps[3][i] = byte_permute(out.taps[2][i], columns[8], 0x4432u + (static_cast<std::uint32_t>(i) << 8));
    }
  }
  return out;
}

// The sums of column j of the four, from three rows of taps, as floats.
template <bool kUnsigned, int kStride>
GPUEVAL_DEVICE void sum_column(const TapRow<kStride>& top, const TapRow<kStride>& middle, const TapRow<kStride>& bottom,
                               const Bytes16 (&weights)[3], int j, float (&sums)[4]) {
  const TapRow<kStride>* rows[3] = {&top, &middle, &bottom};
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) {
    int acc = kSmallIntBits;
    GPUEVAL_UNROLL
    for (int r = 0; r < 3; ++r) {
      const std::uint32_t w = weights[r].word[i];
      if constexpr (kStride == 1) {
        acc = dp4a<kUnsigned>(rows[r]->taps[j / 2][i], j % 2 == 0 ? w : w << 8, acc);
      } else {
        acc = dp4a<kUnsigned>(rows[r]->taps[j][i], w, acc);
      }
    }
    sums[i] = small_int_to_float(acc);
  }
}

template <bool kUnsigned, int kStride, int kRows>
GPUEVAL_KERNEL(kDepthwiseThreads)
depthwise_3x3(const DepthwiseParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = block_index().x * kDepthwiseThreads + thread_index().x;
  if (thread >= a.threads) return;
  const DepthwisePlace at = depthwise_place(a, thread, kDepthwiseColumns, kRows);
  Bytes16 weights[3];
  GPUEVAL_UNROLL
  for (int r = 0; r < 3; ++r) {
    weights[r] = load_global<Bytes16>(a.weights + (r * a.weight_pitch + at.channel) * 4);
  }
  const ChannelFactors factors = channel_factors(a.epilogue, at.channel, at.image);
  const std::uint8_t* image = a.src + static_cast<std::int64_t>(at.image) * a.h * a.w * a.src_pitch + at.channel;
  const int y0 = at.p * kStride - a.pad_top, x0 = at.q * kStride - a.pad_left;
  TapRow<kStride> ring[3];
  GPUEVAL_UNROLL
  for (int i = 0; i < (kRows - 1) * kStride + 3; ++i) {
    ring[i % 3] = load_tap_row<kStride>(a, image, y0 + i, x0);
    if (i < 2 || (i - 2) % kStride != 0) continue;
    const int p = at.p + (i - 2) / kStride;
    GPUEVAL_UNROLL
    for (int j = 0; j < kDepthwiseColumns; ++j) {
      if (p >= a.p || at.q + j >= a.q) continue;
      float sums[4];
      sum_column<kUnsigned, kStride>(ring[(i - 2) % 3], ring[(i - 1) % 3], ring[i % 3], weights, j, sums);
      store_four(a, factors, (at.image * a.p + p) * a.q + at.q + j, at.channel, sums);
    }
  }
}

inline bool supports_depthwise_3x3(const cuda::ConvProblem& problem) {
  const ConvDesc& d = problem.desc;
  const Window& window = d.window;
  return d.depthwise && window.kernel_h == 3 && window.kernel_w == 3 && window.stride_h == window.stride_w &&
         window.stride_h <= 2 && problem.src_pitch % 4 == 0;
}

template <int kRows>
void launch_depthwise_3x3(const char* name, const cuda::ConvProblem& problem, const cuda::ConvArgs& args,
                          cuda::Stream stream) {
  const DepthwiseParams params = make_depthwise_params(problem, args, kDepthwiseColumns, kRows);
  const bool is_unsigned = problem.src == DType::kU8, stride1 = problem.desc.window.stride_h == 1;
  const auto kernel = is_unsigned ? (stride1 ? depthwise_3x3<true, 1, kRows> : depthwise_3x3<true, 2, kRows>)
                                  : (stride1 ? depthwise_3x3<false, 1, kRows> : depthwise_3x3<false, 2, kRows>);
  const Grid grid{.x = (params.threads + kDepthwiseThreads - 1) / kDepthwiseThreads};
  launch_early(stream, name, grid, kDepthwiseThreads, 0, kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
