// SPDX-License-Identifier: Apache-2.0
// The host's float16 conversions against the definition: the nearest representable number, ties to the even one.
#include "cuda/prim/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/random.h"

namespace gpueval::emu {
namespace {

// By the definition: sign, exponent, mantissa.
double value_of(std::uint32_t bits) {
  const double sign = bits & 0x8000 ? -1 : 1;
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const double mantissa = bits & 1023;
  if (exponent == 31) return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(Half, EveryHalfToFloatAndBack) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = to_float({static_cast<std::uint16_t>(bits)});
    if (std::isnan(value_of(bits))) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(to_float(to_half(value)))) << bits;
      continue;
    }
    ASSERT_EQ(value, value_of(bits)) << bits;
    ASSERT_EQ(to_half(value).bits, bits);
  }
}

// All positive halves but the last have a float half way to the next one: it goes to the even one, its neighbours to
// their sides.
TEST(Half, HalfWayGoesToTheEvenOne) {
  for (std::uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const double low = value_of(bits), high = value_of(bits + 1);
    const auto middle = static_cast<float>((low + high) / 2);
    ASSERT_EQ(middle, (low + high) / 2);
    const std::uint32_t even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(to_half(middle).bits, even) << bits;
    ASSERT_EQ(to_half(-middle).bits, even | 0x8000) << bits;
    ASSERT_EQ(to_half(std::nextafterf(middle, 0)).bits, bits);
    ASSERT_EQ(to_half(std::nextafterf(middle, 1e6f)).bits, bits + 1);
  }
  EXPECT_EQ(to_half(65519.996f).bits, 0x7bff);
  EXPECT_EQ(to_half(65520.0f).bits, 0x7c00);  // ties to even: beyond the largest one
  EXPECT_EQ(to_half(-INFINITY).bits, 0xfc00);
  EXPECT_EQ(to_half(-0.0f).bits, 0x8000);
}

TEST(Half, RandomFloatsGoToTheNearest) {
  Random random(7);
  for (int i = 0; i < 2'000'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random.next()));
    const std::uint16_t bits = to_half(value).bits;
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(value_of(bits)));
    } else if (std::fabs(value) < 65520) {
      const std::uint32_t magnitude = bits & 0x7fff;
      const double x = std::fabs(value), distance = std::fabs(value_of(magnitude) - x);
      ASSERT_EQ(std::signbit(value), bits >> 15 != 0);
      ASSERT_LE(distance, std::fabs(value_of(magnitude + 1) - x)) << value;
      if (magnitude > 0) {
        ASSERT_LE(distance, std::fabs(value_of(magnitude - 1) - x)) << value;
      }
    } else {
      ASSERT_EQ(bits, value < 0 ? 0xfc00 : 0x7c00) << value;
    }
  }
}

}  // namespace
}  // namespace gpueval::emu
