// SPDX-License-Identifier: Apache-2.0
// Warp collectives against the PTX ISA: shuffles, ballot, ldmatrix, and mma as products of whole matrices. The fragment
// layouts stand here once more, as the ISA states them, so that the kernels' and the emulator's cannot share an error.
#include <gtest/gtest.h>

#include "prim_device.h"

namespace gpueval::cuda {
namespace {

class PrimWarpTest : public PrimTest {};
INSTANTIATE_TEST_SUITE_P(, PrimWarpTest, testing::Values("emu", "gpu"), device_name);

TEST_P(PrimWarpTest, Shuffles) {
  constexpr std::size_t kWarps = 7;
  const Words a = random_words(32 * kWarps, 1);
  Words b = random_words(32 * kWarps, 2);
  for (std::uint32_t& lane : b) lane %= 32;
  for (const auto& order : orders()) {
    emulator::set_options(order);
    const Words out = run(all().shuffle, kWarps, 4 * a.size(), a, b);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const std::size_t lane = i % 32, first = i - lane;
      ASSERT_EQ(out[4 * i], a[first + (lane ^ 5)]) << i;
      ASSERT_EQ(out[4 * i + 1], a[first + (lane ^ 5)]) << i;
      ASSERT_EQ(out[4 * i + 2], a[first + b[i]]) << i;
      ASSERT_EQ(out[4 * i + 3], a[first + (lane ^ 8)]) << i;
    }
  }
}

TEST_P(PrimWarpTest, Ballot) {
  constexpr std::size_t kWarps = 5;
  const Words a = random_words(32 * kWarps, 3);
  for (const auto& order : orders()) {
    emulator::set_options(order);
    const Words out = run(all().ballot, kWarps, 2 * a.size(), a);
    for (std::size_t i = 0; i < a.size(); ++i) {
      std::uint32_t votes = 0;
      for (std::size_t lane = 0; lane < 32; ++lane) votes |= (a[i / 32 * 32 + lane] & 1) << lane;
      ASSERT_EQ(out[2 * i], votes) << i;
      ASSERT_EQ(out[2 * i + 1], votes & (0xffu << (i % 32 / 8 * 8))) << i;
    }
  }
}

// .m8n8.x4.b16: threads 8 i .. 8 i + 7 give the row addresses of matrix i; thread t receives elements 2 (t % 4) and
// 2 (t % 4) + 1 of row t / 4.
TEST_P(PrimWarpTest, Ldmatrix) {
  constexpr std::size_t kWarps = 6, kWords = 512;
  const Words a = random_words(kWords * kWarps, 4);
  Words offsets = random_words(32 * kWarps, 5);  // any row anywhere, repeated ones too
  for (std::uint32_t& offset : offsets) offset = offset % 128 * 16;
  for (const auto& order : orders()) {
    emulator::set_options(order);
    const Words out = run(all().ldmatrix, kWarps, 4 * offsets.size(), a, offsets);
    for (std::size_t warp = 0; warp < kWarps; ++warp) {
      std::uint16_t halves[2 * kWords];
      std::memcpy(halves, &a[kWords * warp], sizeof halves);
      for (std::size_t t = 0; t < 32; ++t) {
        for (std::size_t i = 0; i < 4; ++i) {
          const std::size_t row = offsets[32 * warp + 8 * i + t / 4] / 2;
          const std::uint32_t low = halves[row + 2 * (t % 4)], high = halves[row + 2 * (t % 4) + 1];
          ASSERT_EQ(out[4 * (32 * warp + t) + i], low | high << 16) << "warp " << warp << " thread " << t;
        }
      }
    }
  }
}

// Where element i of a thread's fragment lies in the matrix.
struct Place {
  int row, column;
};

// PTX ISA, "Matrix Fragments for mma.m16n8k32", .s8/.u8: groupID = laneid >> 2, threadID_in_group = laneid % 4.
struct M16n8k32 {
  static constexpr int kM = 16, kDepth = 32, kA = 16, kB = 8, kC = 4;
  static Place a(int lane, int i) {
    const int row = (i < 4) || (i >= 8 && i < 12) ? lane >> 2 : (lane >> 2) + 8;
    return {row, (lane % 4) * 4 + (i & 3) + (i < 8 ? 0 : 16)};
  }
  static Place b(int lane, int i) { return {(lane % 4) * 4 + (i & 3) + (i < 4 ? 0 : 16), lane >> 2}; }
  static Place c(int lane, int i) { return {i < 2 ? lane >> 2 : (lane >> 2) + 8, (lane % 4) * 2 + (i & 1)}; }
};

// PTX ISA, "Matrix Fragments for mma.m8n8k16".
struct M8n8k16 {
  static constexpr int kM = 8, kDepth = 16, kA = 4, kB = 4, kC = 2;
  static Place a(int lane, int i) { return {lane >> 2, (lane % 4) * 4 + i}; }
  static Place b(int lane, int i) { return {(lane % 4) * 4 + i, lane >> 2}; }
  static Place c(int lane, int i) { return {lane >> 2, (lane % 4) * 2 + i}; }
};

template <typename Shape>
struct Product {
  int a[Shape::kM][Shape::kDepth], b[Shape::kDepth][8];
  std::int32_t c[Shape::kM][8];

  // Random elements; every third product the extremes, sums that wrap among them.
  Product(Random& random, bool unsigned_a, bool extreme) {
    const int lo = unsigned_a ? 0 : -128, hi = unsigned_a ? 255 : 127;
    for (auto& row : a) {
      for (int& x : row) x = extreme ? (random.integer(0, 1) != 0 ? hi : lo) : random.integer(lo, hi);
    }
    for (auto& row : b) {
      for (int& x : row) x = extreme ? (random.integer(0, 1) != 0 ? 127 : -128) : random.integer(-128, 127);
    }
    for (auto& row : c) {
      for (std::int32_t& x : row) {
        x = extreme ? (random.integer(0, 1) != 0 ? INT32_MAX : INT32_MIN) : random.integer(-100000, 100000);
      }
    }
  }
  std::uint32_t expected(Place at) const {
    std::int64_t sum = c[at.row][at.column];
    for (int k = 0; k < Shape::kDepth; ++k) sum += a[at.row][k] * b[k][at.column];
    return static_cast<std::uint32_t>(sum);
  }
};

void put_byte(Words& words, int index, int value) {
  words[static_cast<std::size_t>(index / 4)] |= static_cast<std::uint32_t>(value & 0xff) << 8 * (index % 4);
}

template <typename Shape>
class Products {
 public:
  static constexpr int kWarps = 30;
  explicit Products(bool unsigned_a) : a(words(Shape::kA)), b(words(Shape::kB)), c(4 * words(Shape::kC)) {
    Random random(6);
    for (int warp = 0; warp < kWarps; ++warp) {
      products_.emplace_back(random, unsigned_a, warp % 3 == 2);
      const Product<Shape>& product = products_.back();
      for (int lane = 0; lane < 32; ++lane) {
        const int thread = 32 * warp + lane;
        for (int i = 0; i < Shape::kA; ++i) {
          const Place at = Shape::a(lane, i);
          put_byte(a, thread * Shape::kA + i, product.a[at.row][at.column]);
        }
        for (int i = 0; i < Shape::kB; ++i) {
          const Place at = Shape::b(lane, i);
          put_byte(b, thread * Shape::kB + i, product.b[at.row][at.column]);
        }
        for (int i = 0; i < Shape::kC; ++i) {
          const Place at = Shape::c(lane, i);
          c[index(thread, i)] = static_cast<std::uint32_t>(product.c[at.row][at.column]);
        }
      }
    }
  }
  void check(const Words& out) const {
    for (int thread = 0; thread < 32 * kWarps; ++thread) {
      for (int i = 0; i < Shape::kC; ++i) {
        const Place at = Shape::c(thread % 32, i);
        ASSERT_EQ(out[index(thread, i)], products_[static_cast<std::size_t>(thread / 32)].expected(at))
            << "warp " << thread / 32 << " row " << at.row << " column " << at.column;
      }
    }
  }
  Words a, b, c;

 private:
  static std::size_t words(int bytes_per_lane) { return static_cast<std::size_t>(32 * kWarps * bytes_per_lane / 4); }
  static std::size_t index(int thread, int i) { return static_cast<std::size_t>(thread * Shape::kC + i); }
  std::vector<Product<Shape>> products_;
};

TEST_P(PrimWarpTest, MmaM16n8k32) {
  require_sm(80);
  for (const bool is_unsigned : {false, true}) {
    const Products<M16n8k32> products(is_unsigned);
    for (const auto& order : orders()) {
      emulator::set_options(order);
      const Probe probe = is_unsigned ? all().mma_m16n8k32_u8 : all().mma_m16n8k32_s8;
      products.check(run(probe, products.kWarps, products.c.size(), products.a, products.b, products.c));
    }
  }
}

TEST_P(PrimWarpTest, MmaM8n8k16) {
  for (const bool is_unsigned : {false, true}) {
    const Products<M8n8k16> products(is_unsigned);
    for (const auto& order : orders()) {
      emulator::set_options(order);
      const Probe probe = is_unsigned ? all().mma_m8n8k16_u8 : all().mma_m8n8k16_s8;
      products.check(run(probe, products.kWarps, products.c.size(), products.a, products.b, products.c));
    }
  }
}

}  // namespace
}  // namespace gpueval::cuda
