// SPDX-License-Identifier: Apache-2.0
// The kernel of first_pool.h with products by dp4a, for GPUs older than sm_80: 256 pixels of the convolution x 64
// channels at once. As in first_dp4a.h eight threads cover the channels in interleaved fours; a thread computes eight
// pixels, 32 apart. 105 registers (sm_75), 107 (sm_90), 124 (sm_120), no spills; shared memory for ResNet50 54.4 KiB.
#include "cuda/conv/first_pool.h"
#include "cuda/prim/dp4a.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

template <bool kUnsigned>
struct PoolProducts {
  static constexpr int kColumns = static_cast<int>(kFirstPoolThreads) / 8, kRows = cuda::kFirstPoolPixels / kColumns;
  static constexpr int kQuads = kPoolChannels / 32;
  static constexpr bool kAsync = false;

  GPUEVAL_DEVICE static void prepare(const FirstPoolParams& a) {
    load_first_weights<kFirstPoolThreads>(a.first, a.taps_at);
  }

  GPUEVAL_DEVICE static void multiply(const FirstPoolParams& a, std::uint32_t patch, int image) {
    for (int first = 0; first < a.pixels; first += cuda::kFirstPoolPixels) multiply_some(a, patch, image, first);
  }

  GPUEVAL_DEVICE static void multiply_some(const FirstPoolParams& a, std::uint32_t patch, int image, int first) {
    const int thread = static_cast<int>(thread_index().x), quad = thread % 8 * 4, pixel = first + thread / 8;
    std::uint32_t windows[kRows];
    GPUEVAL_UNROLL
    for (int j = 0; j < kRows; ++j) windows[j] = patch + window_at(a, pixel + j * kColumns);
    int acc[kRows][kQuads][4] = {};
    auto weights = a.taps_at + static_cast<std::uint32_t>(quad) * 4;
    for (int r = 0; r < a.first.kernel_h; ++r) {
      auto tap = static_cast<std::uint32_t>(r * a.first.patch_w) * 4;
      for (int s = 0; s < a.first.kernel_w; ++s, tap += 4, weights += kPoolChannels * 4) {
        Bytes16 w[kQuads];
        GPUEVAL_UNROLL
        for (int i = 0; i < kQuads; ++i) w[i] = shared_at<Bytes16>(weights + static_cast<std::uint32_t>(i) * 128);
        GPUEVAL_UNROLL
        for (int j = 0; j < kRows; ++j) {
          const auto x = shared_at<std::uint32_t>(windows[j] + tap);
          GPUEVAL_UNROLL
          for (int i = 0; i < kQuads; ++i) {
            GPUEVAL_UNROLL
            for (int c = 0; c < 4; ++c) acc[j][i][c] = dp4a<kUnsigned>(x, w[i].word[c], acc[j][i][c]);
          }
        }
      }
    }
    GPUEVAL_UNROLL
    for (int i = 0; i < kQuads; ++i) {
      const int channel = i * 32 + quad;
      const QuadScale scale = staged_scale(a, channel, image);
      GPUEVAL_UNROLL
      for (int j = 0; j < kRows; ++j) {
        if (pixel + j * kColumns >= a.pixels) continue;
        shared_at<std::uint32_t>(pixel_slot(pixel + j * kColumns) + static_cast<std::uint32_t>(channel)) =
            quantized_quad(a, scale, acc[j][i]);
      }
    }
  }
};

struct Row {
  static constexpr char kName[] = "conv_first_pool_s8_dp4a_256x64x4";
  template <bool kUnsigned>
  using Products = PoolProducts<kUnsigned>;

  // The limit: all that sm_75 has.
  static cuda::FirstPoolMemory memory_of(const ConvDesc& desc) {
    return {.taps = desc.window.kernel_h * desc.window.kernel_w,
            .tap_bytes = kPoolChannels * 4,
            .patches = 1,
            .limit = 64u << 10};
  }
  static std::vector<std::int8_t> pack(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
    return cuda::pack_first_taps(problem, weights, kPoolChannels);
  }
};

}  // namespace

extern const cuda::ConvKernel conv_first_pool_s8_dp4a_256x64x4 =
    FirstPoolRow<Row>::kernel(75, cuda::ConvFamily::kDp4a, 4);

}  // namespace gpueval::GPUEVAL_TARGET
