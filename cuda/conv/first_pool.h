// SPDX-License-Identifier: Apache-2.0
// First layers with the max pool behind them. The convolution's output, often the largest tensor of a network, never
// goes to memory: a block computes, for a tile of pool outputs of 64 channels, the convolution outputs under its
// windows (those that two tiles share are computed twice), quantizes them into shared memory and takes the maxima
// there. The pixels under a tile are numbered row by row and computed 256 at a time whatever the tile's shape, so that
// the host cuts tiles to the map (first_pool_plan.h): ResNet50's 7x7/2 and 3x3/2 have tiles of 8 x 14 pool outputs over
// 17 x 29 pixels, a tenth of which are computed again.
//
// A block takes tile after tile and holds the weights all the while. With cp.async (sm_80) the source of the next tile
// comes while this one is computed.
// Shared memory: quantized pixels, 64 bytes each; patches of source pixels (first_tile.h), two of them with cp.async;
// what the products need, the weights last; m and b of the channels.
#pragma once

#include <algorithm>

#include "cuda/conv/first_pool_plan.h"
#include "cuda/conv/first_tile.h"
#include "cuda/conv/mma_index.h"
#include "cuda/prim/bytes.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {

inline constexpr unsigned kFirstPoolThreads = 256;
inline constexpr int kFirstPoolBlocks = 2;  // of a multiprocessor
inline constexpr int kPoolChannels = cuda::kFirstPoolChannels;

struct FirstPoolParams {
  FirstParams first;  // p, q: of the convolution; tiles_p, tiles_q: of the pool
  int p, q;           // of the pool
  int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
  int tiles;           // of all images
  int rows, columns;   // of a tile: pool outputs
  int conv_w, pixels;  // under a tile: columns and all of them
  cuda::Divisor by_conv_w, by_columns;
  std::uint32_t patch_at, taps_at, scales_at;
  std::uint32_t flips;  // turns bytes into q + 128, or leaves unsigned ones
  bool wide_stores;     // 16 channels at once
};

// Where 64 bytes of a pixel lie. Two neighbours fill all banks, and so do every second one's, whose halves are turned
// against each other: pools of stride 2 read those.
GPUEVAL_DEVICE std::uint32_t pixel_slot(int pixel) {
  const auto at = static_cast<std::uint32_t>(pixel);
  return at * kPoolChannels ^ (at & 2) << 5;
}

// Where a pixel's window begins in a patch of source pixels, in bytes. Of numbers beyond the last: the last one's.
GPUEVAL_DEVICE std::uint32_t window_at(const FirstPoolParams& a, int pixel) {
  const int real = pixel < a.pixels ? pixel : a.pixels - 1;
  const int y = a.by_conv_w.quotient(real), x = a.by_conv_w.remainder(real, y);
  return static_cast<std::uint32_t>(y * a.first.stride_h * a.first.patch_w + x * a.first.stride_w) * 4;
}

struct FirstPoolPlace {
  FirstPlace conv;  // its first convolution output, which may be outside that map
  int p, q;         // its first pool output
};
GPUEVAL_DEVICE FirstPoolPlace first_pool_place(const FirstPoolParams& a, int tile) {
  const int row = tile / a.first.tiles_q;
  const int p = row % a.first.tiles_p * a.rows, q = tile % a.first.tiles_q * a.columns;
  return {.conv = {.image = row / a.first.tiles_p,
                   .p = p * a.stride_h - a.pad_top,
                   .q = q * a.stride_w - a.pad_left,
                   .channel = static_cast<int>(block_index().y) * kPoolChannels},
          .p = p,
          .q = q};
}

GPUEVAL_DEVICE void stage_first_scales(const FirstPoolParams& a, int channel0) {
  const Epilogue& e = a.first.epilogue;
  const Shared<float> scales(a.scales_at, 2 * kPoolChannels);
  const int thread = static_cast<int>(thread_index().x), channel = channel0 + thread;
  if (thread >= kPoolChannels) return;
  scales[thread] = channel < e.k && e.image_scale == nullptr ? e.m[channel] : 0.0f;
  scales[kPoolChannels + thread] = channel < e.k ? e.b[channel] : 0.0f;
}

// Of the four channels from `channel` of the block on.
GPUEVAL_DEVICE QuadScale staged_scale(const FirstPoolParams& a, int channel, int image) {
  const std::uint32_t at = a.scales_at + static_cast<std::uint32_t>(channel) * 4;
  const Quad m = shared_at<Quad>(at), b = shared_at<Quad>(at + kPoolChannels * 4);
  QuadScale scale;
  GPUEVAL_UNROLL
  for (int c = 0; c < 4; ++c) {
    scale.m[c] = a.first.epilogue.image_scale != nullptr ? a.first.epilogue.image_scale[image] : m.value[c];
    scale.b[c] = b.value[c];
  }
  return scale;
}

// As q + 128 or u8, which maxima need.
GPUEVAL_DEVICE std::uint32_t quantized_quad(const FirstPoolParams& a, const QuadScale& scale, const int (&acc)[4]) {
  const Epilogue& e = a.first.epilogue;
  std::uint32_t bits[4];
  GPUEVAL_UNROLL
  for (int c = 0; c < 4; ++c) {
    const float v = fma_rn(int_to_float(acc[c]), scale.m[c], scale.b[c]);
    bits[c] = round_to_low_bits(min_of(max_of(v, e.lo), e.hi));
  }
  const std::uint32_t low = byte_permute(bits[0], bits[1], 0x0040), high = byte_permute(bits[2], bits[3], 0x0040);
  return byte_permute(low, high, 0x5410) ^ a.flips;
}

// Of 16 channels, the bytes of `channels` of them.
GPUEVAL_DEVICE void store_maxima(const FirstPoolParams& a, std::uint8_t* to, int channels, const Bytes16& bytes) {
  if (a.wide_stores && channels >= 16) {
    store_global(to, bytes);
    return;
  }
  GPUEVAL_UNROLL
  for (int c = 0; c < 16; ++c) {
    if (c < channels) to[c] = static_cast<std::uint8_t>(bytes.word[c / 4] >> c % 4 * 8);
  }
}

struct PoolRange {
  int begin, end;
};
// Of a window's pixels, counted from the tile's first one, which is number `first` of the map's `size`: the real ones.
GPUEVAL_DEVICE PoolRange real_pixels(int begin, int kernel, int first, int size) {
  const int least = first < 0 ? -first : 0, most = size - first, end = begin + kernel;
  return {.begin = begin > least ? begin : least, .end = end < most ? end : most};
}

// A thread takes 16 channels of a pool output at a time.
GPUEVAL_DEVICE void pool_tile(const FirstPoolParams& a, const FirstPoolPlace& at) {
  constexpr int kGroups = kPoolChannels / 16;
  const Epilogue& e = a.first.epilogue;
  const int group = static_cast<int>(thread_index().x) % kGroups * 16, channels = e.k - at.conv.channel - group;
  for (int i = static_cast<int>(thread_index().x) / kGroups; i < a.rows * a.columns;
       i += static_cast<int>(kFirstPoolThreads) / kGroups) {
    const int row = a.by_columns.quotient(i), column = a.by_columns.remainder(i, row);
    const int p = at.p + row, q = at.q + column;
    if (p >= a.p || q >= a.q || channels <= 0) continue;
    const PoolRange y = real_pixels(row * a.stride_h, a.kernel_h, at.conv.p, a.first.p);
    const PoolRange x = real_pixels(column * a.stride_w, a.kernel_w, at.conv.q, a.first.q);
    Bytes16 best = {{0, 0, 0, 0}};
    for (int k = y.begin; k < y.end; ++k) {
      for (int pixel = k * a.conv_w + x.begin; pixel < k * a.conv_w + x.end; ++pixel) {
        const auto bytes = shared_at<Bytes16>(pixel_slot(pixel) + static_cast<std::uint32_t>(group));
        GPUEVAL_UNROLL
        for (int w = 0; w < 4; ++w) best.word[w] = max_u8x4(best.word[w], bytes.word[w]);
      }
    }
    GPUEVAL_UNROLL
    for (int w = 0; w < 4; ++w) best.word[w] ^= a.flips;
    const std::int64_t pixel = (static_cast<std::int64_t>(at.conv.image) * a.p + p) * a.q + q;
    store_maxima(a, static_cast<std::uint8_t*>(e.dst) + pixel * e.dst_pitch + at.conv.channel + group, channels, best);
  }
}

// Products: kAsync, whether patches come by cp.async; prepare(a), once; multiply(a, patch, image), which writes the
// tile's pixels, quantized, from the source patch at that offset.
template <typename Products>
GPUEVAL_KERNEL(kFirstPoolThreads, kFirstPoolBlocks)
conv_first_pool(const FirstPoolParams a) {
  begin_behind_previous_kernel();
  constexpr bool kAsync = Products::kAsync;
  const int tile_step = static_cast<int>(grid_size().x);
  int tile = static_cast<int>(block_index().x);
  std::uint32_t patch = a.patch_at, next_patch = a.patch_at + (kAsync ? a.first.patch_bytes : 0);
  const auto load = [&](int of, std::uint32_t to) {
    if (of < a.tiles) load_patch<kFirstPoolThreads, kAsync>(a.first, first_pool_place(a, of).conv, to);
    if constexpr (kAsync) cp_async_commit();
  };
  if constexpr (kAsync) load(tile, patch);
  Products::prepare(a);
  stage_first_scales(a, static_cast<int>(block_index().y) * kPoolChannels);
  for (; tile < a.tiles; tile += tile_step) {
    const FirstPoolPlace at = first_pool_place(a, tile);
    if constexpr (kAsync) {
      cp_async_wait<0>();
    } else {
      load(tile, patch);
    }
    block_barrier();
    if constexpr (kAsync) load(tile + tile_step, next_patch);
    Products::multiply(a, patch, at.conv.image);
    block_barrier();
    pool_tile(a, at);
    const std::uint32_t done = patch;
    patch = next_patch;
    next_patch = done;
  }
}

inline bool supports_first_pool(const cuda::ConvProblem& problem, const cuda::FirstPoolMemory& memory) {
  return problem.pool && is_bounded(*problem.pool) && !problem.pool->dilated() && is_first_layer(problem) &&
         problem.dst != DType::kF32 && !problem.residual && cuda::plan_first_pool(problem, memory).has_value();
}

inline FirstPoolParams make_first_pool_params(const cuda::ConvProblem& problem, const cuda::ConvArgs& args,
                                              const cuda::FirstPoolPlan& plan, const cuda::FirstPoolMemory& memory) {
  const Window& pool = *problem.pool;
  FirstPoolParams params{.first = make_first_params({.rows = 1, .channels = kPoolChannels}, problem, args),
                         .p = problem.out_h(),
                         .q = problem.out_w(),
                         .kernel_h = pool.kernel_h,
                         .kernel_w = pool.kernel_w,
                         .stride_h = pool.stride_h,
                         .stride_w = pool.stride_w,
                         .pad_top = pool.pad.top,
                         .pad_left = pool.pad.left,
                         .rows = plan.rows,
                         .columns = plan.columns,
                         .conv_w = plan.conv_w,
                         .pixels = plan.conv_h * plan.conv_w,
                         .by_conv_w = cuda::Divisor(plan.conv_w),
                         .by_columns = cuda::Divisor(plan.columns),
                         .patch_at = plan.conv_bytes,
                         .flips = problem.dst == DType::kS8 ? 0x80808080u : 0u,
                         .wide_stores = aligned_to(args.dst, problem.dst_pitch, 16)};
  FirstParams& first = params.first;
  first.tiles_p = ceil_div(params.p, plan.rows);
  first.tiles_q = ceil_div(params.q, plan.columns);
  first.patch_h = plan.patch_h;
  first.patch_w = plan.patch_w;
  first.patch_bytes = plan.patch_bytes;
  first.weight_bytes = static_cast<unsigned>(memory.taps * kPoolChannels * 4);
  params.tiles = first.tiles_p * first.tiles_q * args.n;
  params.taps_at = params.patch_at + static_cast<unsigned>(memory.patches) * plan.patch_bytes;
  params.scales_at = params.taps_at + static_cast<unsigned>(memory.taps_and_scales() - cuda::kFirstPoolScales);
  return params;
}

inline void launch_first_pool(const char* name, void (*kernel)(FirstPoolParams), const cuda::FirstPoolMemory& memory,
                              const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int multiprocessors,
                              cuda::Stream stream) {
  const cuda::FirstPoolPlan plan = *cuda::plan_first_pool(problem, memory);
  const FirstPoolParams params = make_first_pool_params(problem, args, plan, memory);
  const int channel_tiles = ceil_div(problem.desc.k, kPoolChannels);
  const int at_once = std::max(1, multiprocessors * kFirstPoolBlocks / channel_tiles);
  const Grid grid{.x = static_cast<unsigned>(std::min(params.tiles, at_once)),
                  .y = static_cast<unsigned>(channel_tiles)};
  launch_early(stream, name, grid, kFirstPoolThreads, params.scales_at + cuda::kFirstPoolScales, kernel, params);
}

// Row: static constexpr kName; memory_of(desc); pack(); Products<whether the source is unsigned>.
template <typename Row>
struct FirstPoolRow {
  static bool supports(const cuda::ConvProblem& problem) {
    return supports_first_pool(problem, Row::memory_of(problem.desc));
  }
  static void launch(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int multiprocessors,
                     cuda::Stream stream) {
    const auto kernel = problem.src == DType::kU8 ? conv_first_pool<typename Row::template Products<true>>
                                                  : conv_first_pool<typename Row::template Products<false>>;
    launch_first_pool(Row::kName, kernel, Row::memory_of(problem.desc), problem, args, multiprocessors, stream);
  }
  static constexpr cuda::ConvKernel kernel(int min_sm, cuda::ConvFamily family, int depth) {
    return {.name = Row::kName,
            .op = cuda::ConvOp::kConvFirst,
            .min_sm = min_sm,
            .family = family,
            .tile = {.pixels = cuda::kFirstPoolPixels, .channels = kPoolChannels, .depth = depth},
            .supports = supports,
            .pack = Row::pack,
            .workspace = cuda::no_workspace,
            .launch = launch,
            .pools = true};
  }
};

}  // namespace gpueval::GPUEVAL_TARGET
