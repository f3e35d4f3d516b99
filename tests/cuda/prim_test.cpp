// SPDX-License-Identifier: Apache-2.0
// What one thread does alone (dp4a, float arithmetic, bytes, float16), and memory: copies, vectors, atomics.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "prim_device.h"

namespace gpueval::cuda {
namespace {

INSTANTIATE_TEST_SUITE_P(, PrimTest, testing::Values("emu", "gpu"), device_name);

std::uint32_t bits(float v) { return std::bit_cast<std::uint32_t>(v); }
float number(std::uint32_t word) { return std::bit_cast<float>(word); }

// d = c + sum of the four products, wrapping (PTX ISA, "dp4a").
TEST_P(PrimTest, Dp4a) {
  Words a = random_words(1000, 1), b = random_words(1000, 2), c = random_words(1000, 3);
  const std::uint32_t edges[] = {0x00000000u, 0x7f7f7f7fu, 0x80808080u, 0xffffffffu, 0x80ff017fu};
  for (const std::uint32_t x : edges) {
    for (const std::uint32_t y : edges) {
      for (const std::uint32_t z : {0u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
        a.push_back(x), b.push_back(y), c.push_back(z);
      }
    }
  }
  const int n = static_cast<int>(a.size());
  for (const bool is_unsigned : {false, true}) {
    const Words out = run(is_unsigned ? all().dp4a_u8 : all().dp4a_s8, n, a.size(), a, b, c);
    for (std::size_t i = 0; i < a.size(); ++i) {
      std::int64_t sum = static_cast<std::int32_t>(c[i]);
      for (int k = 0; k < 4; ++k) sum += byte_of(a[i], k, is_unsigned) * signed_byte(b[i], k);
      ASSERT_EQ(out[i], static_cast<std::uint32_t>(sum)) << std::hex << a[i] << " " << b[i] << " " << c[i];
    }
  }
}

// The correctly rounded sum a * b + c, found without std::fma: exact where the double arithmetic is.
float exact_fma(float a, float b, float c) {
  const double product = static_cast<double>(a) * b, sum = product + c;  // the product of two floats is exact
  const double back = sum - product, error = (product - (sum - back)) + (c - back);
  if (error == 0) return static_cast<float>(sum);
  // A sticky bit: the sum, cut to an odd last place, rounds as the infinitely precise one does.
  std::int64_t raw = std::bit_cast<std::int64_t>(sum);
  if ((raw & 1) == 0) raw += (error > 0) == (sum > 0) ? 1 : -1;
  return static_cast<float>(std::bit_cast<double>(raw));
}

TEST_P(PrimTest, FloatArithmetic) {
  Words a, b, c;
  const auto add = [&](float x, float y, float z) { a.push_back(bits(x)), b.push_back(bits(y)), c.push_back(bits(z)); };
  for (int i = -10; i <= 10; ++i) add(static_cast<float>(i) + 0.5f, 3, 1);  // ties
  for (const float big : {8388607.5f, 8388609.0f, -8388607.5f, 2147483520.0f, -2147483648.0f}) add(big, 7, -0.5f);
  add(0.49999997f, 1, 0), add(254.5f, 1, 0), add(255.5f, 1, 0), add(-127.5f, 1, 0);
  add(1e-39f, 3, 1e-40f), add(1.17549435e-38f, 0.5f, 0), add(3e-45f, 2, 1e-45f);  // subnormals are kept
  add(1 + 0x1p-23f, 1 + 0x1p-23f, -(1 + 0x1p-22f));                               // differs without the fused step
  add(2, std::numeric_limits<float>::quiet_NaN(), 1);                             // the number wins
  Random random(4);
  for (int i = 0; i < 4000; ++i) {
    add(static_cast<float>(random.normal() * std::exp(random.uniform(-5, 12))), static_cast<float>(random.normal()),
        static_cast<float>(random.normal() * 100));
  }
  const Words out = run(all().arithmetic, static_cast<int>(a.size()), 8 * a.size(), a, b, c);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const float x = number(a[i]), y = number(b[i]), z = number(c[i]);
    SCOPED_TRACE(testing::Message() << "a = " << x << ", b = " << y << ", c = " << z);
    const std::uint32_t* o = &out[8 * i];
    const double floor = std::floor(static_cast<double>(x)), rest = static_cast<double>(x) - floor;
    const bool up = rest > 0.5 || (rest == 0.5 && std::fmod(floor, 2.0) != 0);
    if (std::abs(static_cast<double>(x)) < 0x1p31) {
      EXPECT_EQ(static_cast<std::int32_t>(o[1]), static_cast<std::int64_t>(floor) + up);
    }
    const auto as_int = static_cast<std::int32_t>(a[i]);
    EXPECT_EQ(number(o[3]), static_cast<float>(static_cast<double>(as_int)));
    EXPECT_EQ(o[6], a[i] & 0x7fffffffu);
    if (std::abs(x) < 80) {  // the one that is not exact: 2 units in the last place on a GPU
      EXPECT_NEAR(number(o[7]), std::exp(static_cast<double>(x)), 2.5e-7 * std::exp(static_cast<double>(x)));
    }
    if (std::isnan(y)) {
      EXPECT_EQ(o[4], a[i]);
      EXPECT_EQ(o[5], a[i]);
      continue;
    }
    EXPECT_EQ(number(o[0]), exact_fma(x, y, z));
    EXPECT_EQ(number(o[2]),
              static_cast<float>(static_cast<double>(x) / y));  // rounding twice is harmless: 53 > 2 * 24 + 1
    EXPECT_EQ(number(o[4]), x < y ? x : y);
    EXPECT_EQ(number(o[5]), x < y ? y : x);
  }
}

TEST_P(PrimTest, Bytes) {
  const Words a = random_words(500, 5), b = random_words(500, 6);
  Words selectors = random_words(500, 7);
  for (std::uint32_t& s : selectors) s &= 0x7777;
  const Words out = run(all().bytes, 500, 1000, a, b, selectors);
  for (std::size_t i = 0; i < 500; ++i) {
    std::uint8_t pool[8];
    std::memcpy(pool, &a[i], 4);
    std::memcpy(pool + 4, &b[i], 4);
    for (int k = 0; k < 4; ++k) {
      ASSERT_EQ(byte_of(out[2 * i], k, true), pool[selectors[i] >> 4 * k & 7]);
      ASSERT_EQ(byte_of(out[2 * i + 1], k, true), std::max(byte_of(a[i], k, true), byte_of(b[i], k, true)));
    }
  }
}

// By counting half steps, without a rounding.
int saturated(float v, int least, int most) {
  if (v <= static_cast<float>(least)) return least;
  if (v >= static_cast<float>(most)) return most;
  const double floor = std::floor(static_cast<double>(v)), rest = static_cast<double>(v) - floor;
  const int whole = static_cast<int>(floor);
  return whole + (rest > 0.5 || (rest == 0.5 && whole % 2 != 0) ? 1 : 0);
}

TEST_P(PrimTest, SaturatedPairs) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Words numbers;
  for (int i = -600; i <= 600; ++i) {  // all ties, and what lies beside them
    const float half = static_cast<float>(i) * 0.5f;
    for (const float v : {half, std::nextafterf(half, -kInfinity), std::nextafterf(half, kInfinity)})
      numbers.push_back(bits(v));
  }
  // Around 2^22 and 2^23, where a float has no fraction any more; what no int32 holds; subnormals.
  for (const float v : {4194303.5f, 8388607.5f, 8388608.0f, 12582912.0f, 12582913.0f, 2147483648.0f, 3e9f, 1e38f,
                        std::numeric_limits<float>::max(), kInfinity, 1e-39f, 3e-45f, 0.0f}) {
    numbers.push_back(bits(v)), numbers.push_back(bits(-v));
  }
  const std::size_t n = numbers.size();
  Words turned(n);
  for (std::size_t i = 0; i < n; ++i) turned[i] = numbers[(i * 7 + 3) % n];
  const Words above = random_words(n, 8);
  const Words out = run(all().saturate, static_cast<int>(n), 2 * n, numbers, turned, above);
  for (std::size_t i = 0; i < n; ++i) {
    const float low = number(numbers[i]), high = number(turned[i]);
    SCOPED_TRACE(testing::Message() << low << ", " << high);
    for (const bool is_unsigned : {true, false}) {
      const int least = is_unsigned ? 0 : -128, most = is_unsigned ? 255 : 127;
      const std::uint32_t word = out[2 * i + (is_unsigned ? 0 : 1)];
      EXPECT_EQ(byte_of(word, 0, is_unsigned), saturated(low, least, most));
      EXPECT_EQ(byte_of(word, 1, is_unsigned), saturated(high, least, most));
      EXPECT_EQ(word >> 16, above[i] & 0xffffu);
    }
  }
}

double half_value(std::uint32_t half) {
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  const int exponent = static_cast<int>(half >> 10 & 31);
  const double mantissa = half & 1023;
  return sign * (exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25));
}

// The half nearest to |v|, ties to the even one, by bisection over all finite ones.
std::uint32_t nearest_half(float v) {
  const double magnitude = std::abs(static_cast<double>(v));
  std::uint32_t low = 0, high = 0x7c00;  // 0x7c00: infinity, for rounding as large as the next power of two
  while (high - low > 1) {
    const std::uint32_t middle = (low + high) / 2;
    (half_value(middle) <= magnitude ? low : high) = middle;
  }
  const double to_low = magnitude - half_value(low), to_high = half_value(high) - magnitude;
  const bool up = high < 0x7c00 || magnitude < 0x1p17 ? to_high < to_low || (to_high == to_low && low % 2 == 1) : true;
  return (up ? high : low) | (std::signbit(v) ? 0x8000u : 0u);
}

TEST_P(PrimTest, Float16) {
  constexpr int kAll = 65536;
  Random random(8);
  Words a;
  for (std::uint32_t i = 0; i < kAll; ++i) {
    const std::uint32_t half = i & 0x7fff;
    if (i < 0x7bff) {  // half way to the next one
      a.push_back(bits(static_cast<float>((half_value(half) + half_value(half + 1)) / 2)));
    } else {
      a.push_back(bits(static_cast<float>(random.normal() * std::exp(random.uniform(-18, 13)))));
    }
  }
  const Words out = run(all().half, kAll, 2 * kAll, a);
  for (std::uint32_t i = 0; i < kAll; ++i) {
    ASSERT_EQ(out[2 * i], nearest_half(number(a[i]))) << number(a[i]);
    if ((i & 0x7c00) != 0x7c00) {
      ASSERT_EQ(number(out[2 * i + 1]), half_value(i)) << i;
    } else if ((i & 0x3ff) == 0) {
      ASSERT_EQ(number(out[2 * i + 1]), (i & 0x8000) != 0 ? -INFINITY : INFINITY);
    } else {
      ASSERT_TRUE(std::isnan(number(out[2 * i + 1]))) << i;
    }
  }
}

TEST_P(PrimTest, PlaceOfAThread) {
  const Words out = run(all().place, 5, 5 * 3 * 2 * 32 * 4, {});
  std::size_t at = 0;
  for (std::uint32_t z = 0; z < 2; ++z) {
    for (std::uint32_t y = 0; y < 3; ++y) {
      for (std::uint32_t x = 0; x < 5; ++x) {
        for (std::uint32_t t = 0; t < 32; ++t, at += 4) {
          ASSERT_EQ(out[at], t);
          ASSERT_EQ(out[at + 1], x + 1000 * y + 1000000 * z);
          ASSERT_EQ(out[at + 2], 2003005u);
          ASSERT_EQ(out[at + 3], 1001032u);
        }
      }
    }
  }
}

TEST_P(PrimTest, AsyncCopies) {
  require_sm(80);
  constexpr std::size_t kBlocks = 3, kThreads = 128;
  const Words a = random_words(kBlocks * kThreads * 8, 9), valid = random_words(kBlocks * kThreads, 10);
  for (const auto& order : orders()) {
    emulator::set_options(order);
    const Words out = run(all().cp_async, kBlocks, a.size(), a, valid);
    for (std::size_t i = 0; i < kBlocks * kThreads; ++i) {
      const std::size_t left = i / kThreads * kThreads + (i + kThreads - 1) % kThreads;
      for (std::size_t w = 0; w < 4; ++w) {
        ASSERT_EQ(out[8 * i + w], (valid[i] & 1) != 0 ? a[8 * i + w] : 0) << i;
        ASSERT_EQ(out[8 * i + 4 + w], (valid[left] & 2) != 0 ? a[8 * left + 4 + w] : 0) << i;
      }
    }
  }
}

TEST_P(PrimTest, VectorsThroughSharedMemory) {
  constexpr std::size_t kBlocks = 4, kThreads = 128;
  const Words a = random_words(kBlocks * kThreads * 4, 12);
  for (const auto& order : orders()) {
    emulator::set_options(order);
    const Words out = run(all().reverse, kBlocks, a.size(), a);
    for (std::size_t i = 0; i < kBlocks * kThreads; ++i) {
      const std::size_t from = i / kThreads * kThreads + kThreads - 1 - i % kThreads;
      for (std::size_t w = 0; w < 4; ++w) ASSERT_EQ(out[4 * i + w], a[4 * from + w]) << i;
    }
  }
}

TEST_P(PrimTest, AtomicsAndTheLastBlock) {
  constexpr std::size_t kBlocks = 200, kThreads = kBlocks * 64;
  Words a = random_words(kThreads, 13);
  for (std::uint32_t& w : a) w &= 0xffff;
  a[4321] = 0x10000;
  for (const auto& order : orders()) {
    emulator::set_options(order);
    const Words out = run(all().atomics, kBlocks, 3 + kBlocks + kThreads + 1, a);
    std::uint32_t total = 0;
    for (std::size_t block = 0; block < kBlocks; ++block) {
      std::uint32_t sum = 0;
      for (std::size_t t = 0; t < 64; ++t) sum += a[64 * block + t];
      ASSERT_EQ(out[3 + block], sum) << "block " << block;
      total += sum;
    }
    EXPECT_EQ(out[0], total);
    EXPECT_EQ(out[1], 0x10000u);
    EXPECT_EQ(out[2], kBlocks);
    EXPECT_EQ(out.back(), kThreads);
    Words found(out.begin() + 3 + kBlocks, out.end() - 1);  // every number once
    std::sort(found.begin(), found.end());
    for (std::size_t i = 0; i < kThreads; ++i) ASSERT_EQ(found[i], i);
  }
}

}  // namespace
}  // namespace gpueval::cuda
