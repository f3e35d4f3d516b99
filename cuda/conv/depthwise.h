// SPDX-License-Identifier: Apache-2.0
// What the depthwise kernels share: a thread owns four channels, the four bytes of one word. Four taps of one channel
// make a word of dp4a, so words of four taps are transposed (transpose_4x4) into words of four channels; weights are
// packed that way, [tap group][channel][4 taps].
#pragma once

#include <type_traits>

#include "cuda/conv/depthwise_pack.h"
#include "cuda/conv/epilogue.h"
#include "cuda/conv/mma_index.h"
#include "cuda/prim/bytes.h"

namespace gpueval::GPUEVAL_TARGET {

// Plain layers (is_plain) whose channels are stored by fours, of u8 or s8; all others.
enum class DepthwiseEnd { kAny, kU8, kS8 };

struct DepthwiseParams {
  Epilogue epilogue;
  const std::uint8_t* src;
  const std::int8_t* weights;
  int h, w, p, q, src_pitch, weight_pitch;
  int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
  std::uint32_t padding;                            // four channels of a padded tap
  cuda::Divisor groups, column_blocks, row_blocks;  // of four channels; per image, of what one thread computes
  int threads;                                      // that have work
  DepthwiseEnd end;
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
  const cuda::DepthwiseBlocks blocks(d, columns, rows);
  params.groups = cuda::Divisor(blocks.groups);
  params.column_blocks = cuda::Divisor(blocks.columns);
  params.row_blocks = cuda::Divisor(blocks.rows);
  params.threads = blocks.count(d, args.n);
  const bool plain = is_plain(params.epilogue) && params.epilogue.quads && d.c % 4 == 0;
  params.end = !plain ? DepthwiseEnd::kAny : problem.dst == DType::kU8 ? DepthwiseEnd::kU8 : DepthwiseEnd::kS8;
  return params;
}

// Which outputs a thread computes: neighbouring threads have neighbouring channels, then columns.
struct DepthwisePlace {
  int image, p, q, channel;
};
GPUEVAL_DEVICE DepthwisePlace depthwise_place(const DepthwiseParams& a, int thread, int columns, int rows) {
  const int block = a.groups.quotient(thread), row = a.column_blocks.quotient(block),
            image = a.row_blocks.quotient(row);
  return {.image = image,
          .p = a.row_blocks.remainder(row, image) * rows,
          .q = a.column_blocks.remainder(block, row) * columns,
          .channel = a.groups.remainder(thread, block) * 4};
}

// The end of plain layers, in few instructions: factors are read once, four channels leave as a word that saturates.
template <bool kUnsigned>
struct PlainOutput {
  Quad m, b;
  std::uint8_t* dst;

  GPUEVAL_DEVICE PlainOutput(const Epilogue& e, const DepthwisePlace& at)
      : m(load_global<Quad>(e.m + at.channel)), b(load_global<Quad>(e.b + at.channel)) {}

  GPUEVAL_DEVICE void start_row(const Epilogue& e, const DepthwisePlace& at, int pixel) {
    dst = static_cast<std::uint8_t*>(e.dst) + static_cast<std::int64_t>(pixel) * e.dst_pitch + at.channel;
  }
  // Pixel i of the row; acc: the sums as floats.
  GPUEVAL_DEVICE void store(const Epilogue& e, int i, const float (&acc)[4]) const {
    store_global(dst + static_cast<std::int64_t>(i) * e.dst_pitch, plain_quad<kUnsigned>(e, m, b, acc));
  }
};

// Of any layer, of channels that need not be four.
struct AnyOutput {
  QuadScale scale;
  float dynamic;
  int first, channel;

  GPUEVAL_DEVICE AnyOutput(const Epilogue& e, const DepthwisePlace& at)
      : scale(quad_scale(e, at.channel)),
        dynamic(e.image_scale != nullptr ? e.image_scale[at.image] : 0.0f),
        channel(at.channel) {}

  GPUEVAL_DEVICE void start_row(const Epilogue&, const DepthwisePlace&, int pixel) { first = pixel; }
  GPUEVAL_DEVICE void store(const Epilogue& e, int i, const int (&acc)[4]) const {
    store_quad(e, first + i, channel, scale, dynamic, acc);
  }
};

template <DepthwiseEnd kEnd>
using DepthwiseOutput =
    std::conditional_t<kEnd == DepthwiseEnd::kAny, AnyOutput, PlainOutput<kEnd == DepthwiseEnd::kU8>>;

// What kernels, a template of the end, gives for this one.
template <typename Kernels>
auto kernel_of(DepthwiseEnd end, const Kernels& kernels) {
  switch (end) {
    case DepthwiseEnd::kU8:
      return kernels.template operator()<DepthwiseEnd::kU8>();
    case DepthwiseEnd::kS8:
      return kernels.template operator()<DepthwiseEnd::kS8>();
    default:
      return kernels.template operator()<DepthwiseEnd::kAny>();
  }
}

}  // namespace gpueval::GPUEVAL_TARGET
