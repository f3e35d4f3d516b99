// SPDX-License-Identifier: Apache-2.0
// wgmma against plain products of matrices, in the fragment layout that the PTX ISA states, and boxes of the tensor
// memory accelerator against loops over their elements.
#include <gtest/gtest.h>

#include <cstring>

#include "prim_device.h"

namespace gpueval::cuda {
namespace {

class PrimWgmmaTest : public PrimTest {};
INSTANTIATE_TEST_SUITE_P(, PrimWgmmaTest, testing::Values("emu", "gpu"), device_name);

// PTX ISA, "Register Fragments for wgmma.mma_async.m64nNk32", accumulator D of thread t: its row and column.
std::size_t row_of(std::size_t t, std::size_t i) { return t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8; }
std::size_t column_of(std::size_t t, std::size_t i) { return i / 4 * 8 + t % 4 * 2 + i % 2; }

TEST_P(PrimWgmmaTest, MultipliesBytesOfEitherSign) {
  constexpr std::size_t kBlocks = 3;
  if (runtime_->properties().sm != 90) GTEST_SKIP() << "needs compute capability 9.0";
  for (std::size_t shape = 0; shape < 3; ++shape) {
    const std::size_t n = std::size_t{64} << shape;
    const Words a = random_words(kBlocks * 64 * 32, 7 + shape), b = random_words(kBlocks * n * 32, 8);
    const Words c = random_words(kBlocks * 64 * n, 9);  // large ones: sums wrap
    for (std::size_t is_unsigned = 0; is_unsigned < 2; ++is_unsigned) {
      for (auto order : orders()) {
        order.late_products = !order.late_copies;
        emulator::set_options(order);
        const Words out = run(all().wgmma[shape][is_unsigned], kBlocks, c.size(), a, b, c);
        for (std::size_t i = 0; i < out.size(); ++i) {
          const std::size_t block = i / (64 * n), thread = i % (64 * n) / (n / 2), element = i % (n / 2);
          const std::uint32_t* row = &a[(block * 64 + row_of(thread, element)) * 32];
          const std::uint32_t* column = &b[(block * n + column_of(thread, element)) * 32];
          std::uint32_t sum = c[i];
          for (int k = 0; k < 128; ++k) {
            sum += static_cast<std::uint32_t>(byte_of(row[k / 4], k % 4, is_unsigned != 0) *
                                              signed_byte(column[k / 4], k % 4));
          }
          ASSERT_EQ(out[i], sum) << "n " << n << " block " << block << " thread " << thread << " element " << element;
        }
      }
    }
  }
}

// Byte `column` of row `row` of a box with the 128-byte swizzle: the 16 bytes' number is turned by the row's.
std::size_t place_of(std::size_t row, std::size_t column) {
  return row * 128 + ((column / 16) ^ (row % 8)) * 16 + column % 16;
}

class PrimTmaTest : public PrimWgmmaTest {
 protected:
  static constexpr TmaProbeTensor kTensor{};
  static constexpr std::size_t kBoxBytes = kTmaProbeRows * 128, kBlockBytes = kBoxBytes + 64;
  const Words tensor_ = random_words(kTensor.pitch * kTensor.w * kTensor.h * kTensor.n / 4, 5);

  // places: what b holds; pixel(block, row): the coordinates in W, H and N of a row.
  template <typename Pixel>
  void expect(Probe probe, const Words& places, const Pixel& pixel) {
    if (runtime_->properties().sm != 90) GTEST_SKIP() << "needs compute capability 9.0";
    const std::size_t blocks = places.size() / kTmaProbeWords;
    const Words plain = random_words(blocks * 16, 6);
    for (const auto& order : orders()) {
      emulator::set_options(order);
      const Words words = run(probe, static_cast<int>(blocks), blocks * kBlockBytes / 4, tensor_, places, plain);
      const auto* const out = reinterpret_cast<const std::uint8_t*>(words.data());
      for (std::size_t block = 0; block < blocks; ++block) {
        for (std::size_t i = 0; i < kBoxBytes; ++i) {
          const int column = static_cast<int>(places[block * kTmaProbeWords]) + static_cast<int>(i % 128);
          const std::size_t at = block * kBlockBytes + place_of(i / 128, i % 128);
          ASSERT_EQ(out[at], element(column, pixel(block, static_cast<int>(i / 128))))
              << "block " << block << " row " << i / 128 << " byte " << i % 128;
        }
        ASSERT_EQ(std::memcmp(out + block * kBlockBytes + kBoxBytes, &plain[block * 16], 64), 0) << block;
      }
    }
  }

 private:
  struct Pixel {
    int w, h, n;
  };
  int element(int c, const Pixel& at) const {
    const auto inside = [](int value, std::uint32_t size) { return value >= 0 && value < static_cast<int>(size); };
    if (!inside(c, kTensor.c) || !inside(at.w, kTensor.w) || !inside(at.h, kTensor.h) || !inside(at.n, kTensor.n)) {
      return 0;
    }
    const int row = (at.n * static_cast<int>(kTensor.h) + at.h) * static_cast<int>(kTensor.w) + at.w;
    return reinterpret_cast<const std::uint8_t*>(tensor_.data())[row * static_cast<int>(kTensor.pitch) + c];
  }

 protected:
  using Place = Pixel;
};
INSTANTIATE_TEST_SUITE_P(, PrimTmaTest, testing::Values("emu", "gpu"), device_name);

TEST_P(PrimTmaTest, BringsBoxesOfAMatrix) {
  const auto word = [](int value) { return static_cast<std::uint32_t>(value); };
  const Words places = {0, 0, 0, 0, 0, 0, 128, 16, 0, 0, 0, 0, word(-5), word(-3), 0, 0, 0, 0, 3, 120, 0, 0, 0, 0};
  expect(all().tma[0], places, [&](std::size_t block, int row) {
    const int flat = static_cast<int>(places[block * kTmaProbeWords + 1]) + row;
    const bool inside = flat >= 0;  // rows behind the last are those of a picture too many
    return Place{flat % 7, inside ? flat / 7 % 6 : -1, flat / 42};
  });
}

TEST_P(PrimTmaTest, BringsTapsOfPixels) {
  const auto word = [](int value) { return static_cast<std::uint32_t>(value); };
  // Boxes of W: -1, 1, 3, 5 (up to 6); of H: -2, 1, 4 (up to 6); three pictures: 36 pixels.
  const Words places = {0,   word(-1), word(-2), 0, 0, 0,   //
                        128, word(3),  1,        0, 1, 2,   // taps shift what is read, not the box
                        16,  5,        4,        1, 1, 1,   // on to the next picture
                        0,   1,        word(-2), 2, 0, 1};  // beyond the last
  expect(all().tma[1], places, [&](std::size_t block, int row) {
    const std::uint32_t* const at = &places[block * kTmaProbeWords];
    int w = static_cast<int>(at[1]), h = static_cast<int>(at[2]), n = static_cast<int>(at[3]);
    for (int i = 0; i < row; ++i) {
      w += 2;
      if (w < 7 - 1) continue;
      w = -1;
      h += 3;
      if (h < 6) continue;
      h = -2;
      ++n;
    }
    return Place{w + static_cast<int>(at[4]), h + static_cast<int>(at[5]), n};
  });
}

}  // namespace
}  // namespace gpueval::cuda
