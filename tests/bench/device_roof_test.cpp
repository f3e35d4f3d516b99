// SPDX-License-Identifier: Apache-2.0
// The loops behind the roofs must do what they claim: every sum is compared with products of whole matrices.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "core/random.h"
#include "cuda/roof/roof.h"
#include "cuda/runtime/handles.h"
#include "cuda/runtime/runtime.h"
#include "support/runtimes.h"

namespace gpueval::cuda {
namespace {

using Words = std::array<std::uint32_t, 256>;

int byte_of(std::uint32_t word, int index) { return static_cast<std::int8_t>(word >> (8 * index)); }

// Row of 4-byte groups q = 0..3 held by lanes 4 * row + q of a fragment register that starts at `first`.
int element(const Words& words, int first, int row, int column) {
  return byte_of(words[static_cast<std::size_t>(first + row * 4 + column / 4)], column % 4);
}

// A 16 x 32 (m16n8k32): registers 0 to 3; B 8 x 32: registers 4 and 5. Fragments as cuda/prim/mma.h states them.
int product_16832(const Words& words, int row, int column) {
  int sum = 0;
  for (int k = 0; k < 32; ++k) {
    const int a = element(words, 32 * ((row >= 8 ? 1 : 0) + (k >= 16 ? 2 : 0)), row % 8, k % 16);
    sum += a * element(words, 128 + (k >= 16 ? 32 : 0), column, k % 16);
  }
  return sum;
}
int product_8816(const Words& words, int row, int column) {
  int sum = 0;
  for (int k = 0; k < 16; ++k) sum += element(words, 0, row, k) * element(words, 32, column, k);
  return sum;
}

std::uint32_t sum_of_products(const std::string& name, const Words& words, int lane) {
  const int g = lane / 4, q = lane % 4;
  int sum = 0;
  if (name == "dp4a") {
    const auto at = static_cast<std::size_t>(lane);
    for (int i = 0; i < 4; ++i) sum += byte_of(words[at], i) * byte_of(words[at + 32], i);
  } else if (name == "mma_m16n8k32") {
    for (const int row : {g, g + 8}) sum += product_16832(words, row, 2 * q) + product_16832(words, row, 2 * q + 1);
  } else if (name == "wgmma_m64n128k32") {  // 2 rows and 16 times 2 columns that are the same 8 rows further
    for (int k = 0; k < 32; ++k) {
      const auto word = [&](int row, int first) {
        return words[static_cast<std::size_t>(row * 32 + k / 4 + first) % 256];
      };
      const int both = byte_of(word(2 * q, 128), k % 4) + byte_of(word(2 * q + 1, 128), k % 4);
      sum += 32 * byte_of(word(g, 0), k % 4) * both;
    }
  } else {
    sum = product_8816(words, g, 2 * q) + product_8816(words, g, 2 * q + 1);
  }
  return static_cast<std::uint32_t>(sum);
}

float sum_of_chains(const Words& words, int lane, int rounds) {
  float total = 0;
  for (int chain = 0; chain < kRoofChains; ++chain) {
    float x = static_cast<float>(words[static_cast<std::size_t>(lane)] & 1023u) + static_cast<float>(chain);
    for (int i = 0; i < rounds; ++i) x = std::fma(x, 0.5f, 1.0f);
    total += x;
  }
  return total;
}

class DeviceRoof : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "emu") {
      runtime_ = &emu_runtime();
      return;
    }
    std::string why;
    runtime_ = gpu_runtime(&why);
    if (runtime_ == nullptr) GTEST_SKIP() << why;
  }
  Runtime* runtime_ = nullptr;
};

TEST_P(DeviceRoof, LoopsComputeWhatTheyCount) {
  Words words;
  Random random(3);
  for (auto& word : words) word = static_cast<std::uint32_t>(random.next());
  constexpr unsigned kBlocks = 2;
  constexpr int kIterations = 3, kRounds = kIterations * kRoofUnroll;
  const StreamHandle stream = make_stream(*runtime_);
  const DeviceBuffer src(*runtime_, sizeof(words)), dst(*runtime_, kBlocks * kRoofThreads * sizeof(float));
  runtime_->copy_to_device(src.data(), words.data(), sizeof(words), stream.get());
  for (const RoofKernel& kernel : roof_kernels(*runtime_)) {
    if (kernel.operations == 0 || !kernel.runs_on(runtime_->properties().sm)) continue;
    kernel.launch({.src = src.data(), .dst = dst.data(), .iterations = kIterations, .blocks = kBlocks}, stream.get());
    std::vector<std::uint32_t> sums(kBlocks * kRoofThreads);
    runtime_->copy_to_host(sums.data(), dst.data(), dst.size(), stream.get());
    runtime_->synchronize(stream.get());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const int lane = static_cast<int>(i % 32);
      if (std::string(kernel.name) == "fma_f32") {
        float actual;
        std::memcpy(&actual, &sums[i], sizeof(actual));
        ASSERT_EQ(actual, sum_of_chains(words, lane, kRounds)) << kernel.name << " thread " << i;
      } else {
        ASSERT_EQ(sums[i], sum_of_products(kernel.name, words, lane) * kRoofChains * kRounds)
            << kernel.name << " thread " << i;
      }
    }
  }
}

// Sizes around the stride of the grid and around four strides.
TEST_P(DeviceRoof, CopyCopiesEverythingAndNoMore) {
  const StreamHandle stream = make_stream(*runtime_);
  for (const std::size_t words : {1u, 255u, 256u, 257u, 511u, 2048u, 2049u, 5000u}) {
    std::vector<std::uint32_t> data(words * 4);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint32_t>(i * 2654435761u);
    const std::size_t bytes = words * 16;
    const DeviceBuffer src(*runtime_, bytes), dst(*runtime_, bytes + 16);
    runtime_->copy_to_device(src.data(), data.data(), bytes, stream.get());
    runtime_->fill(dst.data(), 0x77, bytes + 16, stream.get());
    for (const RoofKernel& kernel : roof_kernels(*runtime_)) {
      if (kernel.operations > 0) continue;
      kernel.launch({.src = src.data(), .dst = dst.data(), .words = static_cast<std::int64_t>(words), .blocks = 2},
                    stream.get());
    }
    std::vector<std::uint32_t> copied(words * 4 + 4);
    runtime_->copy_to_host(copied.data(), dst.data(), bytes + 16, stream.get());
    runtime_->synchronize(stream.get());
    EXPECT_TRUE(std::equal(data.begin(), data.end(), copied.begin())) << words << " words";
    for (std::size_t i = data.size(); i < copied.size(); ++i) EXPECT_EQ(copied[i], 0x77777777u) << words << " words";
  }
}

TEST_P(DeviceRoof, MeasuresEveryRowOrSaysWhyNot) {
  const RoofOptions tiny{.seconds = 1e-4, .copy_bytes = 4096, .blocks = 1, .iterations = 1};
  const std::vector<Roof> roofs = measure_roofs(*runtime_, tiny);
  ASSERT_EQ(roofs.size(), roof_kernels(*runtime_).size());
  for (const Roof& roof : roofs) {
    EXPECT_NE(roof.value > 0, !roof.missing.empty()) << roof.name << " " << roof.value << " " << roof.missing;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, DeviceRoof, testing::Values("emu", "gpu"), [](const auto& row) { return row.param; });

}  // namespace
}  // namespace gpueval::cuda
