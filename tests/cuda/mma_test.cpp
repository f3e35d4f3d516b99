// SPDX-License-Identifier: Apache-2.0
// What the tensor-core convolutions rest on: places in shared memory, order of tiles, packed weights, split of the
// depth. Their results on all shapes are conv_test.cpp's.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuda/conv/mma_index.h"
#include "cuda/conv/mma_plan.h"
#include "cuda/conv/mma_tile.h"
#include "cuda/runtime/runtime.h"
#include "cuda/runtime/tables.h"
#include "cuda/selftest/conv_case.h"
#include "emulator/emulator.h"
#include "support/runtimes.h"

namespace gpueval::cuda {
namespace {

// Cycles that one shared-memory access takes: the largest number of different 4-byte words that one of the 32 banks
// must give.
int bank_cycles(const std::vector<std::uint32_t>& words) {
  std::array<std::set<std::uint32_t>, 32> banks;
  for (const std::uint32_t word : words) banks[word % 32].insert(word);
  std::size_t worst = 0;
  for (const auto& bank : banks) worst = std::max(worst, bank.size());
  return static_cast<int>(worst);
}

// Vectors of 16 bytes go 8 lanes at a time, as do the rows of one ldmatrix matrix.
int vector_cycles(std::span<const std::uint32_t> offsets) {
  int cycles = 0;
  for (std::size_t first = 0; first < offsets.size(); first += 8) {
    std::vector<std::uint32_t> words;
    for (const std::uint32_t offset : offsets.subspan(first, 8)) {
      for (std::uint32_t word = 0; word < 4; ++word) words.push_back(offset / 4 + word);
    }
    cycles += bank_cycles(words);
  }
  return cycles;
}

template <typename Offset>
std::vector<std::uint32_t> of_lanes(const Offset& offset) {
  std::vector<std::uint32_t> offsets;
  for (std::uint32_t lane = 0; lane < 32; ++lane) offsets.push_back(offset(lane));
  return offsets;
}

TEST(MmaTile, CountsBankConflicts) {
  // Rows of 64 bytes without turning: 8 rows of one chunk share 2 of 8 bank groups.
  EXPECT_EQ(vector_cycles(of_lanes([](std::uint32_t lane) { return lane * 64; })), 16);
  EXPECT_EQ(vector_cycles(of_lanes([](std::uint32_t lane) { return lane * 128; })), 32);
  EXPECT_EQ(vector_cycles(of_lanes([](std::uint32_t lane) { return lane * 16; })), 4);
}

TEST(MmaTile, LoadsFragmentsWithoutBankConflicts) {
  for (const std::uint32_t chunks : {4u, 8u}) {
    for (std::uint32_t first = 0; first < chunks; ++first) {
      for (const auto& lane_chunk : {source_lane, weight_lane, narrow_lane}) {
        if (lane_chunk != narrow_lane && first % 2 != 0) continue;  // 32 bytes of depth begin at even chunks
        const auto offsets = of_lanes([&](std::uint32_t lane) {
          const LaneChunk at = lane_chunk(lane);
          return chunk_offset(at.row, first + at.chunk, chunks);
        });
        EXPECT_EQ(vector_cycles(offsets), 4) << chunks << " chunks a row, from " << first;
      }
    }
  }
}

TEST(MmaTile, CopiesWithoutBankConflicts) {
  for (const std::uint32_t chunks : {2u, 4u, 8u, 16u}) {  // of an operand row, and of a row of the output tile
    for (std::uint32_t first = 0; first < 256; first += 32) {
      const auto offsets = of_lanes(
          [&](std::uint32_t lane) { return chunk_offset((first + lane) / chunks, (first + lane) % chunks, chunks); });
      EXPECT_EQ(vector_cycles(offsets), 4) << chunks << " chunks a row, from " << first;
    }
  }
}

TEST(MmaTile, WritesOutputsWithoutBankConflicts) {
  for (const std::uint32_t n : {32u, 64u, 128u, 256u}) {
    for (std::uint32_t column = 0; column < n; column += 8) {
      std::vector<std::uint32_t> words;
      for (std::uint32_t lane = 0; lane < 32; ++lane) {
        words.push_back(output_offset(8 + lane / 4, column + lane % 4 * 2, n) / 4);
      }
      EXPECT_EQ(bank_cycles(words), 1) << n << " columns, from " << column;
    }
  }
}

TEST(MmaTile, GivesEveryElementAPlaceOfItsOwn) {
  for (const std::uint32_t n : {32u, 64u, 128u, 256u}) {
    std::vector<bool> taken(64 * n);
    for (std::uint32_t row = 0; row < 64; ++row) {
      for (std::uint32_t column = 0; column < n; ++column) {
        const std::uint32_t at = output_offset(row, column, n);
        ASSERT_LT(at, taken.size());
        EXPECT_FALSE(taken[at]) << "row " << row << " column " << column << " of " << n;
        taken[at] = true;
      }
    }
  }
}

TEST(MmaIndex, DividesExactly) {
  Random random(11);
  std::vector<int> divisors = {1,         2,
                               3,         5,
                               7,         49,
                               55,        56,
                               149,       196,
                               3136,      12544,
                               65535,     65536,
                               65537,     (1 << 30) - 1,
                               1 << 30,   (1 << 30) + 1,
                               2147483647};
  for (int i = 0; i < 300; ++i) divisors.push_back(random.integer(1, 1 << random.integer(1, 30)));
  for (const int d : divisors) {
    const Divisor divisor(d);
    for (int i = 0; i < 200; ++i) {
      // Multiples and their neighbours are where rounding would show, the largest most of all.
      const std::int64_t multiple = std::int64_t{random.integer(0, 2147483647 / d)} * d;
      for (const std::int64_t n : {multiple - 1, multiple, multiple + 1, std::int64_t{2147483647},
                                   std::int64_t{2147483647} / d * d, std::int64_t{2147483647} / d * d - 1}) {
        if (n < 0 || n > 2147483647) continue;
        const int value = static_cast<int>(n), quotient = divisor.quotient(value);
        ASSERT_EQ(quotient, value / d) << value << " / " << d;
        ASSERT_EQ(divisor.remainder(value, quotient), value % d) << value << " % " << d;
      }
    }
  }
}

TEST(MmaIndex, VisitsEveryTileOnce) {
  for (const int m_tiles : {1, 2, 7, 100}) {
    for (const int n_tiles : {1, 2, 15, 16, 17, 31, 32, 33, 63}) {
      const TileOrder order(m_tiles, n_tiles);
      std::set<std::pair<int, int>> seen;
      for (int block = 0; block < m_tiles * n_tiles; ++block) {
        const TilePosition tile = order.at(block);
        EXPECT_TRUE(tile.m >= 0 && tile.m < m_tiles && tile.n >= 0 && tile.n < n_tiles) << m_tiles << "x" << n_tiles;
        seen.insert({tile.m, tile.n});
      }
      EXPECT_EQ(seen.size(), static_cast<std::size_t>(m_tiles * n_tiles)) << m_tiles << " x " << n_tiles;
    }
  }
}

TEST(MmaIndex, NeighbouringBlocksShareOperands) {
  const TileOrder order(100, 40);
  std::set<int> rows, columns;
  for (int block = 500; block < 500 + 132; ++block) {
    rows.insert(order.at(block).m);
    columns.insert(order.at(block).n);
  }
  EXPECT_LE(rows.size(), 10u);
  EXPECT_LE(columns.size(), 16u);
}

constexpr MmaTile kTile{.m = 128, .n = 64, .depth = 64, .warps_m = 2, .warps_n = 2, .stages = 4};
constexpr MmaTile kDeepTile{.m = 128, .n = 32, .depth = 128, .warps_m = 4, .warps_n = 1, .stages = 2};
constexpr MmaTile kSplitTile{
    .m = 64, .n = 64, .depth = 64, .warps_m = 2, .warps_n = 2, .stages = 4, .split_depth = true};

ConvProblem problem_of(const char* text) {
  const ConvDesc desc = parse_conv_desc(text);
  return {.desc = desc, .src_pitch = round_up(desc.c, 16), .dst_pitch = desc.k};
}

TEST(MmaPlan, PacksWeightsInTheOrderOfTheBlocks) {
  for (const MmaTile& tile : {kTile, kDeepTile}) {
    for (const char* text : {"n1h9w9c40_k70r3s2_st1_pad0,0,0,0", "n1h9w9c200_k33r1s1_st1_pad0,0,0,0"}) {
      const ConvProblem problem = problem_of(text);
      const ConvDesc& d = problem.desc;
      Random random(5);
      std::vector<std::int8_t> weights(static_cast<std::size_t>(d.k * d.depth()));
      for (auto& w : weights) w = static_cast<std::int8_t>(random.integer(1, 127));  // no zeros: those are padding
      std::vector<std::int8_t> packed = pack_mma(problem, weights, tile);
      const int taps = d.window.kernel_h * d.window.kernel_w, pitch = round_up(d.c, 16);
      const std::uint32_t chunks = static_cast<std::uint32_t>(tile.chunks());
      ASSERT_EQ(packed.size() % tile.weight_bytes(), 0u);
      for (int k = 0; k < d.k; ++k) {
        for (int tap = 0; tap < taps; ++tap) {
          for (int c = 0; c < d.c; ++c) {
            const int depth = tap * pitch + c, step = depth / tile.depth, inside = depth % tile.depth;
            const int block = k / tile.n * mma_steps(problem, tile) + step;
            const std::size_t at =
                static_cast<std::size_t>(block) * tile.weight_bytes() +
                chunk_offset(static_cast<std::uint32_t>(k % tile.n), static_cast<std::uint32_t>(inside / 16), chunks) +
                static_cast<std::size_t>(inside % 16);
            ASSERT_EQ(packed.at(at), weights[static_cast<std::size_t>((k * taps + tap) * d.c + c)])
                << text << " k " << k << " tap " << tap << " c " << c;
            packed[at] = 0;
          }
        }
      }
      EXPECT_TRUE(std::all_of(packed.begin(), packed.end(), [](std::int8_t w) { return w == 0; })) << text;
    }
  }
}

TEST(MmaPlan, SupportsWholeChunksWithinItsOffsets) {
  EXPECT_TRUE(mma_supports(problem_of("n256h56w56c64_k256r1s1_st1_pad0,0,0,0"), kTile));
  EXPECT_TRUE(mma_supports(problem_of("n1024h1w1c25088_k4096r1s1_st1_pad0,0,0,0"), kTile));
  EXPECT_TRUE(mma_supports(problem_of("n512h224w224c64_k64r3s3_st1_pad1,1,1,1"), kTile));  // 1.6 GB, two images a tile
  ConvProblem packed_pixels = problem_of("n1h9w9c3_k8r3s3_st1_pad0,0,0,0");
  packed_pixels.src_pitch = 4;
  EXPECT_FALSE(mma_supports(packed_pixels, kTile));
  EXPECT_FALSE(mma_supports(problem_of("n1h9w9c16_dw_r3s3_st1_pad0,0,0,0"), kTile));
  EXPECT_FALSE(mma_supports(problem_of("n1024h64w64c4096_k8r64s64_st1_pad0,0,0,0"), kTile));  // 129 images of 16 MiB
  EXPECT_FALSE(mma_supports(problem_of("n2h4000w4000c64_k8r3s3_st1_pad0,0,0,0"), kTile));
}

TEST(MmaPlan, SplitsTheDepthToFillTheDevice) {
  EXPECT_EQ(depth_splits(72, 8, 132), 15);   // 7x7x512 -> 512, 3x3: 16 parts of 5 steps would leave the last one empty
  EXPECT_EQ(depth_splits(36, 16, 132), 8);   // 14x14x256 -> 256, 3x3
  EXPECT_EQ(depth_splits(32, 16, 132), 8);   // 1x1x2048 -> 1000, dense
  EXPECT_EQ(depth_splits(72, 132, 132), 1);  // full already
  EXPECT_EQ(depth_splits(72, 1000, 132), 1);
  EXPECT_EQ(depth_splits(7, 1, 132), 1);  // two parts would be shorter than 4 steps
  EXPECT_EQ(depth_splits(8, 1, 132), 2);
  Random random(2);
  for (int i = 0; i < 5000; ++i) {
    const int steps = random.integer(1, 500), tiles = random.integer(1, 300), count = random.integer(1, 200);
    const int parts = depth_splits(steps, tiles, count), part = (steps + parts - 1) / parts;
    ASSERT_GE(parts, 1);
    ASSERT_GT(steps, part * (parts - 1)) << steps << " " << tiles << " " << count;  // no part is empty
    if (parts > 1) {
      ASSERT_LE(parts * tiles, count);
      ASSERT_GE(part, kMinSplitSteps);
    }
  }
}

TEST(MmaPlan, NeedsAWorkspaceOnlyToSplit) {
  const ConvProblem small = problem_of("n1h7w7c512_k512r3s3_st1_pad1,1,1,1");
  EXPECT_EQ(mma_workspace(small, kSplitTile, 132), 8u * (64 * 64 + 1) * 4);
  EXPECT_EQ(mma_workspace(small, kSplitTile, 8), 0u);
  EXPECT_EQ(mma_workspace(small, kTile, 132), 0u);
}

// cuda/CMakeLists.txt reads in a file's name which GPUs it is compiled for.
TEST(ConvNames, SayTheOldestGpu) {
  for (const ConvKernel& row : emu::conv_kernels()) {
    const std::string_view name = row.name;
    const auto has = [&](std::string_view part) { return name.find(part) != name.npos; };
    const bool newer = (has("_s8_mma_") && !has("_m8n8k16_")) || has("_dp4a_async_");
    EXPECT_EQ(row.min_sm, has("_wgmma_") ? 90 : newer ? 80 : 75) << name;
  }
}

// Cases that need a tile's own size: conv_test.cpp does not know them.
class MmaKernel : public testing::TestWithParam<std::string> {
 protected:
  const ConvKernel& kernel() {
    for (const ConvKernel& row : emu::conv_kernels()) {
      if (row.name == GetParam()) return row;
    }
    throw std::runtime_error("no row " + GetParam());
  }
  void expect_exact(const ConvCase& c, int multiprocessors) {
    const ConvCase::Result result = c.run(emu_runtime(), kernel(), multiprocessors);
    EXPECT_EQ(c.compare(result.dense, c.expected()), "") << c.describe() << " multiprocessors " << multiprocessors;
    EXPECT_EQ(result.fault, "") << c.describe();
  }
};

std::vector<std::string> mma_rows_named(std::string_view prefix) {
  std::vector<std::string> names;
  for (const ConvKernel& row : emu::conv_kernels()) {
    if (std::string_view(row.name).starts_with(prefix)) names.emplace_back(row.name);
  }
  return names;
}
std::string name_of(const testing::TestParamInfo<std::string>& row) { return row.param; }

// More than one panel of columns (TileOrder) even for the widest tile, two tiles of rows for all but the tallest.
TEST_P(MmaKernel, ComputesEveryTileOfALargeOutput) {
  expect_exact(ConvCase(parse_conv_desc("n1h13w10c16_k2100r1s1_st1_pad0,0,0,0"), {.dst = DType::kS8}), 1);
  expect_exact(ConvCase(parse_conv_desc("n1h17w16c16_k40r1s1_st1_pad0,0,0,0"), {.residual = DType::kU8, .seed = 2}), 1);
}

// Taps of fewer chunks than a step has: up to eight taps a step.
TEST_P(MmaKernel, StepsOverSeveralTaps) {
  std::uint64_t seed = 0;
  for (const char* text : {"n1h9w8c16_k33r5s3_st1_pad2,2,1,1", "n2h8w9c48_k33r3s3_st2_pad0,1,0,1",
                           "n1h9w9c80_k20r1s7_st1_pad0,0,3,3", "n1h12w12c1_k9r7s7_st2_pad3,3,3,3"}) {
    const DType src = seed % 2 == 0 ? DType::kU8 : DType::kS8;
    expect_exact(
        ConvCase(parse_conv_desc(text), {.src = src, .dst = DType::kS8, .layout = Layout::kPadded, .seed = ++seed}), 1);
  }
}

class WgmmaKernel : public MmaKernel {};

// Persistent tiles: a multiprocessor that computes them all, one after the other, in every order of execution.
TEST_P(WgmmaKernel, ComputesSeveralTilesABlock) {
  // Rows of whole chunks: the residual comes by asynchronous copies. float32 leaves without a barrier behind the
  // scales.
  const ConvDesc desc = parse_conv_desc("n1h33w20c140_k304r1s1_st1_pad0,0,0,0");
  for (const CaseOptions& options :
       {CaseOptions{.src = DType::kS8, .dst = DType::kS8, .residual = DType::kS8, .seed = 9},
        CaseOptions{.src = DType::kU8, .dst = DType::kF32, .residual = {}, .seed = 10}}) {
    const ConvCase c(desc, options);
    const std::vector<std::uint8_t> expected = c.expected();
    for (const bool late : {true, false}) {
      for (const auto schedule :
           {emulator::Schedule::kAscending, emulator::Schedule::kDescending, emulator::Schedule::kRandom}) {
        emulator::set_options({.schedule = schedule, .late_copies = late, .late_products = !late, .seed = 5});
        const ConvCase::Result result = c.run(emu_runtime(), kernel(), 1);
        emulator::set_options({});
        EXPECT_EQ(c.compare(result.dense, expected), "") << c.describe() << (late ? " late copies" : " early copies");
        EXPECT_EQ(result.fault, "") << c.describe();
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, MmaKernel, testing::ValuesIn(mma_rows_named("conv_s8_mma_")), name_of);
INSTANTIATE_TEST_SUITE_P(Wgmma, MmaKernel, testing::ValuesIn(mma_rows_named("conv_s8_wgmma_")), name_of);
INSTANTIATE_TEST_SUITE_P(Table, WgmmaKernel, testing::ValuesIn(mma_rows_named("conv_s8_wgmma_")), name_of);

class SplitMmaKernel : public MmaKernel {};

// The blocks of a tile share the depth in 1 to 12 parts: same bits, and a workspace that is zero again.
TEST_P(SplitMmaKernel, GivesTheSameBitsForAnyNumberOfParts) {
  const ConvCase conv(parse_conv_desc("n1h7w7c256_k64r3s3_st1_pad1,1,1,1"),
                      {.src = DType::kU8, .dst = DType::kU8, .residual = DType::kU8});
  const ConvCase dense(parse_conv_desc("n3h1w1c3000_k70r1s1_st1_pad0,0,0,0"), {.src = DType::kS8, .dst = DType::kF32});
  for (const ConvCase* c : {&conv, &dense}) {
    const std::vector<std::uint8_t> expected = c->expected();
    bool split = false, whole = false;
    for (const int multiprocessors : {1, 5, 13, 132}) {
      const ConvCase::Result result = c->run(emu_runtime(), kernel(), multiprocessors);
      EXPECT_EQ(c->compare(result.dense, expected), "") << c->describe() << " multiprocessors " << multiprocessors;
      EXPECT_EQ(result.fault, "") << c->describe() << " multiprocessors " << multiprocessors;
      (kernel().workspace(c->problem(), multiprocessors) > 0 ? split : whole) = true;
    }
    EXPECT_TRUE(split && whole) << c->describe();
  }
}

INSTANTIATE_TEST_SUITE_P(Table, SplitMmaKernel, testing::ValuesIn(mma_rows_named("conv_s8_mma_split_")), name_of);

}  // namespace
}  // namespace gpueval::cuda
