// SPDX-License-Identifier: Apache-2.0
// The kernel of first_pool.h with the products of first_mma.h: 256 pixels of the convolution x 64 channels at once, two
// parts of 16 pixels a warp. Two blocks a multiprocessor: 120 registers (sm_80), 126 (sm_90), 122 (sm_120), no spills;
// shared memory for ResNet50 65.9 KiB.
#include "cuda/conv/first_mma.h"
#include "cuda/conv/first_pool.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

template <bool kUnsigned>
struct PoolProducts {
  static constexpr int kParts = 2, kQuads = kPoolChannels / 16, kRun = kQuads * 4;  // a lane has kRun channels
  static constexpr bool kAsync = true;

  GPUEVAL_DEVICE static void prepare(const FirstPoolParams& a) {
    write_tap_offsets<kFirstPoolThreads>(a.first, a.taps_at);
    load_first_weights<kFirstPoolThreads>(a.first, a.taps_at + static_cast<std::uint32_t>(a.first.steps) * 32);
  }

  GPUEVAL_DEVICE static void multiply(const FirstPoolParams& a, std::uint32_t patch, int image) {
    constexpr int kPixels = kParts * 16;
    const int warp = static_cast<int>(thread_index().x / 32);
    for (int pixel = warp * kPixels; pixel < a.pixels; pixel += cuda::kFirstPoolPixels) {
      const int lane_pixel = pixel + static_cast<int>(thread_index().x % 32) / 4;
      std::uint32_t windows[kParts][2];
      GPUEVAL_UNROLL
      for (int i = 0; i < kParts; ++i) {
        windows[i][0] = patch + window_at(a, lane_pixel + i * 16);
        windows[i][1] = patch + window_at(a, lane_pixel + i * 16 + 8);
      }
      FirstSums<kParts, kPoolChannels> sums = {};
      multiply_first<kUnsigned>(
          a.first, a.taps_at, [&](int i, int half) { return windows[i][half]; }, sums);
      write(a, sums, lane_pixel, image);
    }
  }

  // Beyond the last pixel, too: the memory is there.
  GPUEVAL_DEVICE static void write(const FirstPoolParams& a, const FirstSums<kParts, kPoolChannels>& sums,
                                   int lane_pixel, int image) {
    const int channel = static_cast<int>(thread_index().x % 4) * kRun;
    Bytes16 words[kParts][2];
    GPUEVAL_UNROLL
    for (int j = 0; j < kQuads; ++j) {
      const QuadScale scale = staged_scale(a, channel + j * 4, image);
      GPUEVAL_UNROLL
      for (int i = 0; i < kParts; ++i) {
        GPUEVAL_UNROLL
        for (int half = 0; half < 2; ++half) {
          int acc[4];
          GPUEVAL_UNROLL
          for (int c = 0; c < 4; ++c) acc[c] = first_sum(sums, i, half, j, c);
          words[i][half].word[j] = quantized_quad(a, scale, acc);
        }
      }
    }
    GPUEVAL_UNROLL
    for (int i = 0; i < kParts; ++i) {
      GPUEVAL_UNROLL
      for (int half = 0; half < 2; ++half) {
        const std::uint32_t slot = pixel_slot(lane_pixel + i * 16 + half * 8);
        shared_at<Bytes16>(slot + static_cast<std::uint32_t>(channel)) = words[i][half];
      }
    }
  }
};

struct Row {
  static constexpr char kName[] = "conv_first_pool_s8_mma_256x64x32";
  template <bool kUnsigned>
  using Products = PoolProducts<kUnsigned>;

  // The limit: two blocks of sm_80 and sm_90, one of other GPUs.
  static cuda::FirstPoolMemory memory_of(const ConvDesc& desc) {
    return {.taps = cuda::first_steps(desc) * 8, .tap_bytes = 4 + kPoolChannels * 4, .patches = 2, .limit = 80u << 10};
  }
  static std::vector<std::int8_t> pack(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
    return cuda::pack_first_fragments(problem, weights, kPoolChannels);
  }
};

}  // namespace

extern const cuda::ConvKernel conv_first_pool_s8_mma_256x64x32 =
    FirstPoolRow<Row>::kernel(80, cuda::ConvFamily::kMma, 32);

}  // namespace gpueval::GPUEVAL_TARGET
