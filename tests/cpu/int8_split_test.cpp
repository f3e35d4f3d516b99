// SPDX-License-Identifier: Apache-2.0
// The pure parts of the convolution driver: task split, channel blocks, source addresses.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/random.h"
#include "cpu/int8/conv_split.h"
#include "cpu/int8/packed_weights.h"
#include "cpu/int8/tap_table.h"

namespace gpueval::cpu {
namespace {

constexpr CacheSizes kSmall{32 * 1024, 512 * 1024}, kLarge{48 * 1024, 2 * 1024 * 1024};

ConvWork work(std::int64_t pixels, int channels, int outputs, int taps, int threads) {
  return {.pixels = pixels,
          .blocks = (outputs + 63) / 64,
          .rows = 6,
          .taps = taps,
          .pixel_bytes = channels,
          .block_bytes = std::int64_t{64} * taps * channels,
          .threads = threads};
}

void expect_covers(const ConvWork& w, const ConvSplit& split) {
  EXPECT_GE(split.pixel_block * split.pixel_blocks, w.pixels);
  EXPECT_LT(split.pixel_block * (split.pixel_blocks - 1), w.pixels);  // no empty task
  EXPECT_GE(split.channel_groups, 1);
  EXPECT_LE(split.channel_groups, w.blocks);
  int next = 0;
  for (int group = 0; group < split.channel_groups; ++group) {
    EXPECT_EQ(split.group_begin(group, w.blocks), next);
    next = split.group_begin(group + 1, w.blocks);
    EXPECT_LT(split.group_begin(group, w.blocks), next);
  }
  EXPECT_EQ(next, w.blocks);
}

TEST(ConvSplit, CoversEveryPixelAndBlockOnce) {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    const ConvWork w = work(random.integer(1, random.integer(1, 60000)), random.integer(1, 4096),
                            random.integer(1, 4096), random.integer(1, 49), random.integer(1, 64));
    expect_covers(w, split_conv(w, i % 2 == 0 ? kSmall : kLarge));
    if (HasFailure()) {
      ADD_FAILURE() << "pixels " << w.pixels << " blocks " << w.blocks << " threads " << w.threads;
      return;
    }
  }
}

TEST(ConvSplit, SharesEvenlyBetweenThreads) {
  for (const CacheSizes& caches : {kSmall, kLarge}) {
    for (const int threads : {2, 4}) {
      // 7x7 maps, a dense layer, a 14x14 map, a large map: no thread gets more than 1.2 times its share of the work.
      for (const ConvWork& w : {work(49, 512, 512, 9, threads), work(1, 25088, 4096, 1, threads),
                                work(196, 256, 1024, 1, threads), work(3136, 64, 64, 9, threads)}) {
        const ConvSplit split = split_conv(w, caches);
        std::vector<std::int64_t> load(static_cast<std::size_t>(threads));
        const std::int64_t share = (split.tasks() + threads - 1) / threads;
        for (std::int64_t task = 0; task < split.tasks(); ++task) {
          const int group = static_cast<int>(task / split.pixel_blocks);
          const std::int64_t first = task % split.pixel_blocks * split.pixel_block;
          load[static_cast<std::size_t>(task / share)] +=
              std::min(split.pixel_block, w.pixels - first) *
              (split.group_begin(group + 1, w.blocks) - split.group_begin(group, w.blocks));
        }
        const std::int64_t most = *std::max_element(load.begin(), load.end());
        EXPECT_LE(static_cast<double>(most * threads), 1.2 * static_cast<double>(w.pixels * w.blocks))
            << "pixels " << w.pixels << " threads " << threads;
      }
    }
  }
}

TEST(ConvSplit, KeepsWeightsThatFitNoCoreOnSeveral) {
  // 2.4 MB of weights, 2 MB of L2: halves fit, so each thread takes half of the channels.
  EXPECT_EQ(split_conv(work(784, 512, 512, 9, 2), kLarge).channel_groups, 2);
  EXPECT_EQ(split_conv(work(3136, 64, 64, 9, 2), kLarge).channel_groups, 1);
}

TEST(ConvSplit, SharesOutWhatIsLargerWhereBytesAreDear) {
  ConvWork source = work(3136, 64, 256, 1, 2), weights = work(49, 512, 2048, 1, 2);
  source.macs_per_byte = weights.macs_per_byte = 128;
  EXPECT_EQ(split_conv(source, kLarge).channel_groups, 1);   // 200 KB of pixels, 16 KB of weights
  EXPECT_EQ(split_conv(weights, kLarge).channel_groups, 2);  // 25 KB of pixels, 1 MB of weights
}

TEST(ChannelBlocks, AreEqualWithTheTailLast) {
  for (int channels = 1; channels <= 1100; ++channels) {
    const std::vector<ChannelBlock> blocks = channel_blocks(channels, 16, 4, 100);
    int next = 0;
    for (const ChannelBlock& block : blocks) {
      EXPECT_EQ(block.first, next);
      EXPECT_EQ(block.weight_offset, next * 100);
      EXPECT_LE(blocks.front().vectors - block.vectors, 1);
      EXPECT_GE(blocks.front().vectors, block.vectors);
      EXPECT_EQ(block.channels, std::min(block.vectors * 16, channels - next));
      next += block.vectors * 16;
    }
    ASSERT_EQ(next, (channels + 15) / 16 * 16);
  }
}

TEST(TapTable, PointsAtSourcePixelsOrZeros) {
  const ConvDesc desc = parse_conv_desc("n2h5w4c3_k1r3s2_st2x1_pad1,2,1,1");
  std::vector<std::byte> image(2 * 5 * 4 * 3), zeros(3);
  const TapSource source{.data = image.data(),
                         .pixel_bytes = 3,
                         .row_bytes = 12,
                         .image_bytes = 60,
                         .h = desc.h,
                         .w = desc.w,
                         .window = desc.window,
                         .p = desc.p(),
                         .q = desc.q(),
                         .padding = zeros.data()};
  const std::int64_t pixels = desc.output_pixels();
  for (std::int64_t first = 0; first < pixels; ++first) {
    const std::int64_t count = std::min<std::int64_t>(7, pixels - first), stride = 9;
    std::vector<const std::byte*> table(static_cast<std::size_t>(6 * stride));
    fill_tap_table(source, first, count, stride, table.data());
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t pixel = first + i, n = pixel / (desc.p() * desc.q());
      const std::int64_t p = pixel / desc.q() % desc.p(), q = pixel % desc.q();
      for (int t = 0; t < 6; ++t) {
        const std::int64_t h = p * 2 - 1 + t / 2, w = q - 1 + t % 2;
        const bool inside = h >= 0 && h < 5 && w >= 0 && w < 4;
        ASSERT_EQ(table[static_cast<std::size_t>(t * stride + i)],
                  inside ? image.data() + n * 60 + h * 12 + w * 3 : zeros.data())
            << "pixel " << pixel << " tap " << t;
      }
    }
  }
}

// Rows of the kernel above the map, below it, and of pixels of several rows or images.
TEST(KernelRows, OfZerosAreLeftOut) {
  const auto rows = [](const char* text, std::int64_t first, std::int64_t count) {
    const ConvDesc desc = parse_conv_desc(text);
    const TapSource source{.h = desc.h, .w = desc.w, .window = desc.window, .p = desc.p(), .q = desc.q()};
    const KernelRows found = real_kernel_rows(source, first, count);
    EXPECT_TRUE(found.end - found.begin == desc.window.kernel_h || meets_zero_rows(source, first, count)) << text;
    return std::pair(found.begin, found.end);
  };
  const char* same = "n2h5w4c1_k1r3s3_st1_pad1,1,1,1";
  EXPECT_EQ(rows(same, 0, 4), std::pair(1, 3));
  EXPECT_EQ(rows(same, 3, 2), std::pair(0, 3));
  EXPECT_EQ(rows(same, 4, 12), std::pair(0, 3));
  const ConvDesc inner = parse_conv_desc(same);
  const TapSource map{.h = inner.h, .w = inner.w, .window = inner.window, .p = inner.p(), .q = inner.q()};
  EXPECT_FALSE(meets_zero_rows(map, 4, 12));
  EXPECT_TRUE(meets_zero_rows(map, 3, 12));
  EXPECT_TRUE(meets_zero_rows(map, 4, 13));
  EXPECT_TRUE(meets_zero_rows(map, 12, 20));  // of two images
  EXPECT_EQ(rows(same, 17, 2), std::pair(0, 2));
  EXPECT_EQ(rows(same, 19, 2), std::pair(0, 3));
  EXPECT_EQ(rows(same, 20, 1), std::pair(1, 3));
  EXPECT_EQ(rows("n1h19w19c1_k1r3s3_st1_dil6_pad6,6,6,6", 5 * 19, 19), std::pair(1, 3));
  EXPECT_EQ(rows("n1h19w19c1_k1r3s3_st1_dil6_pad6,6,6,6", 13 * 19, 8), std::pair(0, 2));
  EXPECT_EQ(rows("n1h9w9c1_k1r3s3_st2_pad2,0,0,0", 0, 1), std::pair(2, 3));
  EXPECT_EQ(rows("n1h1w1c1_k1r1s1_st1_pad3,0,0,0", 0, 1), std::pair(0, 1));  // one stays
}

}  // namespace
}  // namespace gpueval::cpu
