// SPDX-License-Identifier: Apache-2.0
// First layers by dp4a: a tap of a pixel is one word, its four channels, so a product of a tap and a filter is one
// dp4a. A thread computes one column of kRows pixels for kQuads x 4 channels; eight threads cover the channels, in
// interleaved fours, so that a warp stores 32 bytes of a pixel at once. A warp's weights are 128 bytes in a row and its
// pixels four words that eight lanes share: no bank conflicts below stride 16. Against conv_s8_naive neither pixels nor
// weights are read more than once a block from memory; against the implicit-GEMM kernels depth is not padded from 3
// channels to 16.
// Shared memory: patch (first_tile.h), then weights [tap][channel] words.
#pragma once

#include "cuda/conv/first_tile.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {

template <int kRows, int kQuads>
inline constexpr FirstTile kFirstDp4aTile{.rows = kRows, .channels = 32 * kQuads};

template <bool kUnsigned, int kRows, int kQuads>
GPUEVAL_KERNEL(kFirstThreads)
conv_first_dp4a(const FirstParams a) {
  begin_behind_previous_kernel();
  constexpr FirstTile kTile = kFirstDp4aTile<kRows, kQuads>;
  static_assert(kFirstThreads == 8 * FirstTile::kColumns);
  const FirstPlace at = first_place(kTile, a);
  load_patch(a, at);
  load_first_weights(a, a.patch_bytes);
  block_barrier();

  const int column = static_cast<int>(thread_index().x) / 8, quad = static_cast<int>(thread_index().x) % 8 * 4;
  int acc[kRows][kQuads][4] = {};
  auto weights = a.patch_bytes + static_cast<std::uint32_t>(quad) * 4;
  const std::uint32_t row_step = static_cast<std::uint32_t>(a.stride_h * a.patch_w) * 4;
  for (int r = 0; r < a.kernel_h; ++r) {
    auto source = static_cast<std::uint32_t>(r * a.patch_w + column * a.stride_w) * 4;
    for (int s = 0; s < a.kernel_w; ++s, source += 4, weights += kTile.channels * 4) {
      Bytes16 w[kQuads];
      GPUEVAL_UNROLL
      for (int i = 0; i < kQuads; ++i) w[i] = shared_at<Bytes16>(weights + static_cast<std::uint32_t>(i) * 128);
      GPUEVAL_UNROLL
      for (int j = 0; j < kRows; ++j) {
        const auto x = shared_at<std::uint32_t>(source + static_cast<std::uint32_t>(j) * row_step);
        GPUEVAL_UNROLL
        for (int i = 0; i < kQuads; ++i) {
          GPUEVAL_UNROLL
          for (int c = 0; c < 4; ++c) acc[j][i][c] = dp4a<kUnsigned>(x, w[i].word[c], acc[j][i][c]);
        }
      }
    }
  }

  if (at.q + column >= a.q) return;
  const float dynamic = a.epilogue.image_scale != nullptr ? a.epilogue.image_scale[at.image] : 0.0f;
  GPUEVAL_UNROLL
  for (int i = 0; i < kQuads; ++i) {
    const int channel = at.channel + i * 32 + quad;
    if (channel >= a.epilogue.k) continue;
    const QuadScale scale = quad_scale(a.epilogue, channel);
    GPUEVAL_UNROLL
    for (int j = 0; j < kRows; ++j) {
      if (at.p + j >= a.p) continue;
      const int row = (at.image * a.p + at.p + j) * a.q + at.q + column;
      store_quad(a.epilogue, row, channel, scale, dynamic, acc[j][i]);
    }
  }
}

template <int kRows, int kQuads>
bool supports_first_dp4a(const cuda::ConvProblem& problem) {
  constexpr FirstTile kTile = kFirstDp4aTile<kRows, kQuads>;
  return supports_first(kTile, problem, kTile.channels * 4);
}

template <int kRows, int kQuads>
std::vector<std::int8_t> pack_first_dp4a(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
  return cuda::pack_first_taps(problem, weights, kFirstDp4aTile<kRows, kQuads>.channels);
}

template <int kRows, int kQuads>
void launch_first_dp4a(const char* name, const cuda::ConvProblem& problem, const cuda::ConvArgs& args,
                       cuda::Stream stream) {
  constexpr FirstTile kTile = kFirstDp4aTile<kRows, kQuads>;
  FirstParams params = make_first_params(kTile, problem, args);
  params.weight_bytes = static_cast<unsigned>(params.kernel_h * params.kernel_w * kTile.channels * 4);
  const auto kernel =
      problem.src == DType::kU8 ? conv_first_dp4a<true, kRows, kQuads> : conv_first_dp4a<false, kRows, kQuads>;
  launch_early(stream, name, first_grid(kTile, params, args.n), kFirstThreads, params.patch_bytes + params.weight_bytes,
               kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
