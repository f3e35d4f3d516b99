// SPDX-License-Identifier: Apache-2.0
// 3x3 depthwise convolution, stride 1 or 2. A thread computes four channels of four columns by kRows rows. It walks
// down the input rows it needs, reads each once (one word a pixel), transposes it into words of four columns a channel
// and keeps the last three rows in registers, as it does the weights. Per channel and row of four outputs:
//   stride 1: columns 0-3 and 2-5; each word serves two outputs, with weights (w0, w1, w2, 0) and (0, w0, w1, w2)
//   stride 2: columns 0-3, 2-5, 4-7, 6-9; one word an output
// so an output costs three dp4a where byte by byte it would be nine multiplications and as many extractions. No shared
// memory: neighbouring threads read neighbouring channels, and columns that two threads share come from the first-level
// cache. Few rows a thread give small maps enough threads, more rows read large maps less often.
//
// What is left is instructions, so the common cases have code of their own: plain layers (depthwise.h) a kernel, and in
// it warps whose patches all lie inside the image a path without any guard. At the border a thread knows its columns by
// the bits of one word. Addresses are the line's pointer plus constant multiples of the pitch. Instructions an output
// on sm_90, inside / at the border (before there was a difference):
//                stride 1                stride 2
//   4x1    18.2 / 22.6 (62.5)      20.9 / 26.6 (71.2)
//   4x4    10.8 / 13.7 (47.1)      14.7 / 19.3 (57.4)
// of u8; an s8 output takes one more, its lower clamp.
#pragma once

#include "cuda/conv/depthwise.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/keep.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/warp.h"
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

// Columns of the source that four outputs read.
template <int kStride>
inline constexpr int kPatchColumns = (kDepthwiseColumns - 1) * kStride + 3;

template <int kStride>
GPUEVAL_DEVICE TapRow<kStride> make_tap_row(const std::uint32_t (&columns)[kPatchColumns<kStride>]) {
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

// row: the patch's first column. Bit i of real: column i lies in the image; the others hold the padding.
template <int kStride, bool kInside>
GPUEVAL_DEVICE TapRow<kStride> load_tap_row(const DepthwiseParams& a, const std::uint8_t* row, std::uint32_t real) {
  std::uint32_t columns[kPatchColumns<kStride>];
  GPUEVAL_UNROLL
  for (int i = 0; i < kPatchColumns<kStride>; ++i) {
    const std::uint8_t* from = row + static_cast<std::int64_t>(i) * a.src_pitch;
    columns[i] = kInside || (real >> i & 1u) != 0 ? load_global<std::uint32_t>(from) : a.padding;
  }
  return make_tap_row<kStride>(columns);
}

// The weights of a thread's channels; stride 1 has them a tap further on as well, for every other column. kKeep: in
// registers, where there are enough.
template <int kStride>
struct DepthwiseWeights {
  Bytes16 rows[3], shifted[kStride == 1 ? 3 : 0];
};

template <int kStride, bool kKeep>
GPUEVAL_DEVICE DepthwiseWeights<kStride> load_weights(const DepthwiseParams& a, int channel) {
  DepthwiseWeights<kStride> weights;
  GPUEVAL_UNROLL
  for (int r = 0; r < 3; ++r) {
    weights.rows[r] = load_global<Bytes16>(a.weights + (r * a.weight_pitch + channel) * 4);
    if constexpr (kStride == 1) {
      GPUEVAL_UNROLL
      for (int i = 0; i < 4; ++i) {
        weights.shifted[r].word[i] = weights.rows[r].word[i] << 8;
        if constexpr (kKeep) keep_in_register(weights.shifted[r].word[i]);
      }
    }
  }
  return weights;
}

// The sums of column j of the four, from three rows of taps, and kSmallIntBits.
template <bool kUnsigned, int kStride>
GPUEVAL_DEVICE void sum_column(const TapRow<kStride>& top, const TapRow<kStride>& middle, const TapRow<kStride>& bottom,
                               const DepthwiseWeights<kStride>& weights, int j, int (&sums)[4]) {
  const TapRow<kStride>* rows[3] = {&top, &middle, &bottom};
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) {
    sums[i] = kSmallIntBits;
    GPUEVAL_UNROLL
    for (int r = 0; r < 3; ++r) {
      if constexpr (kStride == 1) {
        const std::uint32_t w = (j % 2 == 0 ? weights.rows : weights.shifted)[r].word[i];
        sums[i] = dp4a<kUnsigned>(rows[r]->taps[j / 2][i], w, sums[i]);
      } else {
        sums[i] = dp4a<kUnsigned>(rows[r]->taps[j][i], weights.rows[r].word[i], sums[i]);
      }
    }
  }
}

// Bit i: column x0 + i lies in the image.
GPUEVAL_DEVICE std::uint32_t real_columns(const DepthwiseParams& a, int x0) {
  const int first = -x0 > 0 ? -x0 : 0, end = a.w - x0 > 0 ? a.w - x0 : 0;
  return ~0u << (first < 31 ? first : 31) & ~(~0u << (end < 31 ? end : 31));
}

// The outputs of one thread. kInside: all that it reads and writes lies in the images.
template <bool kUnsigned, int kStride, int kRows, DepthwiseEnd kEnd, bool kInside>
GPUEVAL_DEVICE void write_patch(const DepthwiseParams& a, const DepthwisePlace& at) {
  const Epilogue& e = a.epilogue;
  const DepthwiseWeights<kStride> weights = load_weights<kStride, kEnd != DepthwiseEnd::kAny>(a, at.channel);
  DepthwiseOutput<kEnd> output(e, at);
  const int y0 = at.p * kStride - a.pad_top, x0 = at.q * kStride - a.pad_left;
  const std::int64_t line = static_cast<std::int64_t>(a.w) * a.src_pitch;
  const std::uint8_t* src =
      a.src + static_cast<std::int64_t>((at.image * a.h + y0) * a.w + x0) * a.src_pitch + at.channel;
  const std::uint32_t real = kInside ? 0u : real_columns(a, x0);
  int pixel = (at.image * a.p + at.p) * a.q + at.q;
  TapRow<kStride> ring[3];
  GPUEVAL_UNROLL
  for (int i = 0; i < (kRows - 1) * kStride + 3; ++i, src += line) {
    const bool real_row = static_cast<unsigned>(y0 + i) < static_cast<unsigned>(a.h);
    ring[i % 3] = load_tap_row<kStride, kInside>(a, src, real_row ? real : 0u);
    if (i < 2 || (i - 2) % kStride != 0) continue;
    output.start_row(e, at, pixel);
    GPUEVAL_UNROLL
    for (int j = 0; j < kDepthwiseColumns; ++j) {
      if (!kInside && at.q + j >= a.q) break;
      int sums[4];
      sum_column<kUnsigned, kStride>(ring[(i - 2) % 3], ring[(i - 1) % 3], ring[i % 3], weights, j, sums);
      if constexpr (kEnd != DepthwiseEnd::kAny) {
        output.store(e, j,
                     {small_int_to_float(sums[0]), small_int_to_float(sums[1]), small_int_to_float(sums[2]),
                      small_int_to_float(sums[3])});
      } else {
        for (int& sum : sums) sum -= kSmallIntBits;
        output.store(e, j, sums);
      }
    }
    pixel += a.q;
    if (!kInside && at.p + (i - 2) / kStride + 1 >= a.p) return;
  }
}

// Layers that are not plain, which are few, get one row a thread: four would take most of the compiler's time.
template <int kRows, DepthwiseEnd kEnd>
inline constexpr int kThreadRows = kEnd == DepthwiseEnd::kAny ? 1 : kRows;

template <bool kUnsigned, int kStride, int kRows, DepthwiseEnd kEnd>
GPUEVAL_KERNEL(kDepthwiseThreads)
depthwise_3x3(const DepthwiseParams a) {
  begin_behind_previous_kernel();
  constexpr int kThread = kThreadRows<kRows, kEnd>;
  const auto thread = static_cast<int>(block_index().x * kDepthwiseThreads + thread_index().x);
  const bool works = thread < a.threads;
  const DepthwisePlace at = depthwise_place(a, works ? thread : 0, kDepthwiseColumns, kThread);
  if constexpr (kEnd != DepthwiseEnd::kAny) {
    // A warp whose lanes differ would take both ways, one after the other.
    const int y0 = at.p * kStride - a.pad_top, x0 = at.q * kStride - a.pad_left;
    const bool inside =
        y0 >= 0 && x0 >= 0 && y0 + (kThread - 1) * kStride + 3 <= a.h && x0 + kPatchColumns<kStride> <= a.w;
    if (ballot(inside && works) == kAllLanes) {
      write_patch<kUnsigned, kStride, kThread, kEnd, true>(a, at);
      return;
    }
  }
  if (works) write_patch<kUnsigned, kStride, kThread, kEnd, false>(a, at);
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
  DepthwiseParams params = make_depthwise_params(problem, args, kDepthwiseColumns, kRows);
  constexpr int kAnyRows = kThreadRows<kRows, DepthwiseEnd::kAny>;
  if (params.end == DepthwiseEnd::kAny) params = make_depthwise_params(problem, args, kDepthwiseColumns, kAnyRows);
  const bool is_unsigned = problem.src == DType::kU8, stride1 = problem.desc.window.stride_h == 1;
  const auto kernel = kernel_of(params.end, [&]<DepthwiseEnd kEnd>() {
    return is_unsigned ? (stride1 ? depthwise_3x3<true, 1, kRows, kEnd> : depthwise_3x3<true, 2, kRows, kEnd>)
                       : (stride1 ? depthwise_3x3<false, 1, kRows, kEnd> : depthwise_3x3<false, 2, kRows, kEnd>);
  });
  const Grid grid{.x = ceil_div(static_cast<unsigned>(params.threads), kDepthwiseThreads)};
  launch_early(stream, name, grid, kDepthwiseThreads, 0, kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
