// SPDX-License-Identifier: Apache-2.0
// wgmma against plain products of matrices, in the fragment layout that the PTX ISA states.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace gpueval::cuda
