// SPDX-License-Identifier: Apache-2.0
// What the convolutions by the tensor memory accelerator rest on: maps of sources, weights, what a map may be. Their
// results on all shapes are conv_test.cpp's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/round_up.h"
#include "cuda/conv/mma_plan.h"
#include "cuda/conv/tma_plan.h"
#include "cuda/runtime/tensor_map.h"
#include "emulator/device.h"
#include "emulator/emulator.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

using testing::HasSubstr;

constexpr MmaTile kTmaTile{.m = 64, .n = 64, .depth = 128, .warps_m = 4, .producer = true};

// The box of a tap of 64 output pixels from `first` on, as it lies in shared memory.
std::vector<std::uint8_t> box_of(const TensorMapFields& map, const ConvDesc& d, int first, int channel, int s, int r) {
  const std::uint32_t bytes = static_cast<std::uint32_t>(kTmaTile.m) * 128;
  std::vector<std::uint8_t> out(bytes);
  const int image = first / (d.p() * d.q()), inside = first % (d.p() * d.q());
  std::int32_t at[4] = {channel, inside % d.q() * d.window.stride_w - d.window.pad.left,
                        inside / d.q() * d.window.stride_h - d.window.pad.top, image};
  if (!map.im2col) at[1] = first;
  const std::uint16_t tap[2] = {static_cast<std::uint16_t>(s), static_cast<std::uint16_t>(r)};
  emulator::run("box", {}, {}, bytes + 8, [&] {
    emulator::device::mbarrier_init(bytes, 1);
    emulator::device::async_proxy_fence();
    emulator::device::mbarrier_arrive_expect(bytes, bytes);
    emulator::device::bulk_copy_box(0, map, at, tap, bytes);
    emulator::device::mbarrier_wait(bytes, 0, "box", 1);
    std::memcpy(out.data(), emulator::device::shared(0, bytes, 1), bytes);
  });
  return out;
}

// Every tap of every tile: each output pixel's row holds 128 channels of its source pixel, zeros outside of image and
// channels, each 16 bytes where wgmma looks for them.
void expect_taps(const char* text, int images) {
  const ConvDesc d = parse_conv_desc(text);
  const ConvProblem problem{.desc = d, .residual = {}, .src_pitch = gpueval::round_up(d.c, 16) + 16};
  ASSERT_TRUE(tma_supports(problem, kTmaTile)) << text;
  const auto pitch = static_cast<std::size_t>(problem.src_pitch);
  std::vector<std::uint8_t> memory(static_cast<std::size_t>(d.n * d.h * d.w) * pitch + 16);
  Random random(3);
  for (auto& byte : memory) byte = static_cast<std::uint8_t>(random.next() >> 9 | 1);
  const std::uint8_t* const src = memory.data() + (16 - reinterpret_cast<std::uintptr_t>(memory.data()) % 16) % 16;
  const TensorMapFields map = source_map(problem, src, images, kTmaTile);
  EXPECT_NO_THROW(check_tensor_map("probe", map)) << text;
  const int pixels = d.p() * d.q();
  for (int first = 0; first < images * pixels; first += kTmaTile.m) {
    for (int tap = 0; tap < d.window.kernel_h * d.window.kernel_w; ++tap) {
      const int r = tap / d.window.kernel_w, s = tap % d.window.kernel_w;
      for (int channel = 0; channel < d.c; channel += 128) {
        const std::vector<std::uint8_t> box = box_of(map, d, first, channel, s, r);
        for (int i = 0; i < kTmaTile.m * 128; ++i) {
          const int pixel = first + i / 128, c = channel + i % 128, inside = pixel % pixels;
          const int y = inside / d.q() * d.window.stride_h - d.window.pad.top + r;
          const int x = inside % d.q() * d.window.stride_w - d.window.pad.left + s;
          const bool real = pixel < images * pixels && c < d.c && y >= 0 && y < d.h && x >= 0 && x < d.w;
          const auto from = static_cast<std::size_t>((pixel / pixels * d.h + y) * d.w + x) * pitch;
          const std::uint32_t at =
              chunk_offset(static_cast<std::uint32_t>(i / 128), static_cast<std::uint32_t>(i % 128 / 16), 8);
          ASSERT_EQ(box[at + static_cast<std::uint32_t>(i % 16)], real ? src[from + static_cast<std::size_t>(c)] : 0)
              << text << " from pixel " << first << " tap " << tap << " byte " << i;
        }
      }
    }
  }
}

TEST(Tma, MapsHoldEveryTapOfEveryPixel) {
  expect_taps("n3h5w7c40_k8r1s1_st1_pad0,0,0,0", 2);
  expect_taps("n3h7w5c130_k8r3s3_st1_pad1,1,1,1", 3);
  expect_taps("n2h9w8c16_k8r3s3_st2_pad0,1,0,1", 2);
  expect_taps("n2h17w19c20_k8r2s5_st8x3_pad1,2,4,0", 1);
  expect_taps("n3h3w3c5_k8r5s5_st1_pad3,3,3,3", 3);
  expect_taps("n1h14w14c64_k8r1s1_st2_pad0,0,0,0", 1);
}

TEST(Tma, RefusesWhatAMapCannotHave) {
  const auto supports = [](const char* text) {
    const ConvDesc d = parse_conv_desc(text);
    return tma_supports({.desc = d, .residual = {}, .src_pitch = gpueval::round_up(d.c, 16)}, kTmaTile);
  };
  EXPECT_TRUE(supports("n1h200w200c16_k8r3s3_st8_pad127,0,0,127"));
  EXPECT_FALSE(supports("n1h200w200c16_k8r3s3_st9_pad0,0,0,0"));
  EXPECT_FALSE(supports("n1h200w200c16_k8r3s3_st1_pad128,0,0,0"));
  EXPECT_TRUE(supports("n1h200w200c16_k8r128s1_st1_pad0,0,0,0"));
  EXPECT_FALSE(supports("n1h200w200c16_k8r129s1_st1_pad0,0,0,0"));
  const auto error = [](auto change) -> std::string {
    alignas(16) static const std::uint8_t memory[16] = {};
    TensorMapFields map = {.address = memory, .strides = {16}, .sizes = {16, 1}, .rank = 2, .box = {128, 64}};
    change(map);
    try {
      check_tensor_map("probe", map);
    } catch (const Error& failure) {
      return failure.what();
    }
    return "";
  };
  using Map = TensorMapFields&;
  EXPECT_EQ(error([](Map) {}), "");
  EXPECT_THAT(error([](Map m) { m.address = static_cast<const std::uint8_t*>(m.address) + 8; }),
              HasSubstr("kernel 'probe': no tensor map: address"));
  EXPECT_THAT(error([](Map m) { m.strides[0] = 24; }), HasSubstr("24 bytes from element to element of dimension 1"));
  EXPECT_THAT(error([](Map m) { m.sizes[1] = 0; }), HasSubstr("dimension 1 has no elements"));
  EXPECT_THAT(error([](Map m) { m.box[1] = 257; }), HasSubstr("a box of 257 rows, possible are 1 to 256"));
  EXPECT_THAT(error([](Map m) { m.box[0] = 64; }), HasSubstr("rows of 64 bytes"));
}

// Taps begin at a step of their own.
TEST(Tma, WeightsAreThoseOfWholeSteps) {
  const ConvDesc d = parse_conv_desc("n1h8w8c130_k70r1s3_st1_pad0,0,0,0");
  const ConvProblem problem{.desc = d, .residual = {}, .src_pitch = 144};
  std::vector<std::int8_t> weights(static_cast<std::size_t>(d.k * d.depth()));
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::int8_t>(i * 7 % 251);
  const std::vector<std::int8_t> packed = pack_tma(problem, weights, kTmaTile);
  constexpr int kSteps = 6;
  ASSERT_EQ(mma_steps(whole_tap_steps(problem), kTmaTile), kSteps);
  ASSERT_EQ(packed.size(), 2u * kSteps * kTmaTile.weight_bytes());
  for (std::uint32_t i = 0; i < packed.size(); ++i) {
    const std::uint32_t block = i / kTmaTile.weight_bytes(), inside = i % kTmaTile.weight_bytes(), row = inside / 128;
    const std::uint32_t k = block / kSteps * 64 + row, step = block % kSteps;
    const std::uint32_t c = step % 2 * 128 + ((inside / 16 % 8) ^ (row % 8)) * 16 + inside % 16;
    const bool real = k < 70 && c < 130;
    ASSERT_EQ(packed[i], real ? weights[(k * 3 + step / 2) * 130 + c] : 0) << i;
  }
}

}  // namespace
}  // namespace gpueval::cuda
