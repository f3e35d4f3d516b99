// SPDX-License-Identifier: Apache-2.0
// First layers on tensor cores (m16n8k32): 32 bytes of depth are any eight taps of four channels, so a 7x7 window of
// three channels takes 7 steps (49 of 56 words useful) where depth padded to 16 channels would take 25. A row of A is a
// pixel and its words are pixels of the patch: a lane loads its four words straight from there, at the offsets of its
// two taps, without ldmatrix or a copy in between. 16 columns make the 16 rows of A; a warp computes kParts rows of
// pixels for all channels of the block, so a B fragment is loaded once for kParts products. Columns of B are permuted
// (first_channel_of) so that a lane ends up with a run of channels and stores it at once, without staging.
// Shared memory: patch (first_tile.h); offset of each tap in it, a word each; weights as B fragments.
#pragma once

#include "cuda/conv/first_tile.h"
#include "cuda/prim/bytes.h"
#include "cuda/prim/mma.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {

inline constexpr int kFirstWarps = static_cast<int>(kFirstThreads / 32);

template <int kParts, int kChannels>
inline constexpr FirstTile kFirstMmaTile{.rows = kFirstWarps * kParts, .channels = kChannels};

// The sums of a lane: pixels lane / 4 and lane / 4 + 8 of each of kParts rows, kChannels / 4 channels of each.
template <int kParts, int kChannels>
struct FirstSums {
  int acc[kParts][kChannels / 8][4];
};

// Where each tap lies in the patch, in bytes, to shared memory from `to` on; padded taps, of zero weights, at its first
// pixel.
template <unsigned kThreads = kFirstThreads>
GPUEVAL_DEVICE void write_tap_offsets(const FirstParams& a, std::uint32_t to) {
  const Shared<std::uint32_t> offsets(to, static_cast<std::uint32_t>(a.steps) * 8);
  for (int tap = static_cast<int>(thread_index().x); tap < a.steps * 8; tap += static_cast<int>(kThreads)) {
    const int r = tap / a.kernel_w, s = tap % a.kernel_w;
    offsets[tap] = r < a.kernel_h ? static_cast<std::uint32_t>(r * a.patch_w + s) * 4 : 0u;
  }
}

// taps: where the offsets of the taps lie, the weights behind them. pixel_at(i, half): where pixel lane / 4 + 8 * half
// of part i lies in shared memory.
template <bool kUnsigned, int kParts, int kChannels, typename PixelAt>
GPUEVAL_DEVICE void multiply_first(const FirstParams& a, std::uint32_t taps, const PixelAt& pixel_at,
                                   FirstSums<kParts, kChannels>& sums) {
  const int lane = static_cast<int>(thread_index().x % 32);
  const std::uint32_t offsets = taps + static_cast<std::uint32_t>(lane % 4) * 4;
  std::uint32_t weights = taps + static_cast<std::uint32_t>(a.steps * 32 + lane * 8);
  for (int step = 0; step < a.steps; ++step) {
    const auto at = offsets + static_cast<std::uint32_t>(step) * 32;
    const auto low = shared_at<std::uint32_t>(at), high = shared_at<std::uint32_t>(at + 16);
    std::uint32_t x[kParts][4];
    GPUEVAL_UNROLL
    for (int i = 0; i < kParts; ++i) {
      x[i][0] = shared_at<std::uint32_t>(low + pixel_at(i, 0));
      x[i][1] = shared_at<std::uint32_t>(low + pixel_at(i, 1));
      x[i][2] = shared_at<std::uint32_t>(high + pixel_at(i, 0));
      x[i][3] = shared_at<std::uint32_t>(high + pixel_at(i, 1));
    }
    GPUEVAL_UNROLL
    for (int part = 0; part < kChannels / 8; ++part, weights += 256) {
      const auto b = shared_at<Bytes8>(weights);
      GPUEVAL_UNROLL
      for (int i = 0; i < kParts; ++i) mma_m16n8k32<kUnsigned>(sums.acc[i][part], x[i], b.word[0], b.word[1]);
    }
  }
}

// Element c of quad j of part i, of the lower or upper pixel.
template <int kParts, int kChannels>
GPUEVAL_DEVICE int first_sum(const FirstSums<kParts, kChannels>& sums, int i, int half, int j, int c) {
  return sums.acc[i][2 * j + c / 2][2 * half + c % 2];
}

// Of a plain layer, a run of channels at once.
template <bool kUnsigned, int kParts, int kChannels>
GPUEVAL_DEVICE void write_first_runs(const FirstParams& a, const FirstPlace& at,
                                     const FirstSums<kParts, kChannels>& sums, int p0, int q0, int channel) {
  constexpr int kQuads = kChannels / 16;
  static_assert(kQuads == 4 || kQuads == 2);
  const Epilogue& e = a.epilogue;
  std::uint32_t words[kParts][2][kQuads];
  GPUEVAL_UNROLL
  for (int j = 0; j < kQuads; ++j) {
    const auto m = load_global<Quad>(e.m + channel + j * 4), b = load_global<Quad>(e.b + channel + j * 4);
    GPUEVAL_UNROLL
    for (int i = 0; i < kParts; ++i) {
      GPUEVAL_UNROLL
      for (int half = 0; half < 2; ++half) {
        float acc[4];
        GPUEVAL_UNROLL
        for (int c = 0; c < 4; ++c) acc[c] = int_to_float(first_sum(sums, i, half, j, c));
        words[i][half][j] = plain_quad<kUnsigned>(e, m, b, acc);
      }
    }
  }
  GPUEVAL_UNROLL
  for (int i = 0; i < kParts; ++i) {
    GPUEVAL_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int p = p0 + i, q = q0 + half * 8;
      if (p >= a.p || q >= a.q) continue;
      const std::int64_t row = (static_cast<std::int64_t>(at.image) * a.p + p) * a.q + q;
      auto* dst = static_cast<std::uint8_t*>(e.dst) + row * e.dst_pitch + channel;
      const std::uint32_t(&w)[kQuads] = words[i][half];
      if constexpr (kQuads == 4) {
        store_global(dst, Bytes16{{w[0], w[1], w[2], w[3]}});
      } else {
        store_global(dst, Bytes8{{w[0], w[1]}});
      }
    }
  }
}

template <int kParts, int kChannels>
GPUEVAL_DEVICE void write_first_any(const FirstParams& a, const FirstPlace& at,
                                    const FirstSums<kParts, kChannels>& sums, int p0, int q0, int channel) {
  const Epilogue& e = a.epilogue;
  const float dynamic = e.image_scale != nullptr ? e.image_scale[at.image] : 0.0f;
  GPUEVAL_UNROLL
  for (int j = 0; j < kChannels / 16; ++j) {
    const QuadScale scale = quad_scale(e, channel + j * 4);
    GPUEVAL_UNROLL
    for (int i = 0; i < kParts; ++i) {
      GPUEVAL_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int p = p0 + i, q = q0 + half * 8;
        if (p >= a.p || q >= a.q || channel + j * 4 >= e.k) continue;
        int acc[4];
        GPUEVAL_UNROLL
        for (int c = 0; c < 4; ++c) acc[c] = first_sum(sums, i, half, j, c);
        store_quad(e, (at.image * a.p + p) * a.q + q, channel + j * 4, scale, dynamic, acc);
      }
    }
  }
}

// Blocks of a multiprocessor that get registers without spills, of two rows a warp; four rows have none to spare
// (sm_80).
inline constexpr unsigned kFirstMmaBlocks = GPUEVAL_HAS_SM(100) ? 4 : 5;

template <bool kUnsigned, int kParts, int kChannels>
GPUEVAL_KERNEL(kFirstThreads, kParts == 2 ? kFirstMmaBlocks : 0)
conv_first_mma(const FirstParams a) {
  begin_behind_previous_kernel();
  constexpr FirstTile kTile = kFirstMmaTile<kParts, kChannels>;
  constexpr int kRun = kChannels / 4;  // of a lane
  const FirstPlace at = first_place(kTile, a);
  load_patch(a, at);
  write_tap_offsets(a, a.patch_bytes);
  load_first_weights(a, a.patch_bytes + static_cast<std::uint32_t>(a.steps) * 32);
  block_barrier();
  const int lane = static_cast<int>(thread_index().x % 32), warp = static_cast<int>(thread_index().x / 32);
  FirstSums<kParts, kChannels> sums = {};
  const auto pixel = static_cast<std::uint32_t>(warp * kParts * a.stride_h * a.patch_w + lane / 4 * a.stride_w) * 4;
  const auto row_step = static_cast<std::uint32_t>(a.stride_h * a.patch_w) * 4;
  const auto half_step = static_cast<std::uint32_t>(8 * a.stride_w) * 4;
  const auto pixel_at = [&](int i, int half) {
    return pixel + static_cast<std::uint32_t>(i) * row_step + static_cast<std::uint32_t>(half) * half_step;
  };
  multiply_first<kUnsigned>(a, a.patch_bytes, pixel_at, sums);
  const int p0 = at.p + warp * kParts, q0 = at.q + lane / 4, channel = at.channel + lane % 4 * kRun;
  if (!a.runs || channel + kRun > a.epilogue.k) {
    write_first_any(a, at, sums, p0, q0, channel);
  } else if (a.epilogue.dst_unsigned) {
    write_first_runs<true>(a, at, sums, p0, q0, channel);
  } else {
    write_first_runs<false>(a, at, sums, p0, q0, channel);
  }
}

template <int kParts, int kChannels>
bool supports_first_mma(const cuda::ConvProblem& problem) {
  return supports_first(kFirstMmaTile<kParts, kChannels>, problem, 4 + kChannels * 4);
}

template <int kParts, int kChannels>
std::vector<std::int8_t> pack_first_mma(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
  return cuda::pack_first_fragments(problem, weights, kChannels);
}

template <int kParts, int kChannels>
void launch_first_mma(const char* name, const cuda::ConvProblem& problem, const cuda::ConvArgs& args,
                      cuda::Stream stream) {
  constexpr FirstTile kTile = kFirstMmaTile<kParts, kChannels>;
  FirstParams params = make_first_params(kTile, problem, args);
  params.weight_bytes = static_cast<unsigned>(params.steps * kChannels * 32);
  const std::size_t shared = params.patch_bytes + static_cast<unsigned>(params.steps) * 32 + params.weight_bytes;
  const auto kernel =
      problem.src == DType::kU8 ? conv_first_mma<true, kParts, kChannels> : conv_first_mma<false, kParts, kChannels>;
  launch_early(stream, name, first_grid(kTile, params, args.n), kFirstThreads, shared, kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
