// SPDX-License-Identifier: Apache-2.0
// The other integer operations against src/reference/, bit for bit, on every ISA level, with pitches and guard bytes.
#include "cpu/int8/int8_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "core/random.h"
#include "cpu/int8/affine.h"
#include "cpu/int8/elementwise.h"
#include "cpu/int8/isa.h"
#include "gpueval/engine.h"
#include "reference/random_conv.h"

namespace gpueval::cpu {
namespace {

using reference::QuantTensor;

// A pitched copy of a tensor, the gaps filled with guard bytes.
struct Pitched {
  static constexpr std::uint8_t kGuard = 0xA5;
  Shape shape;
  int gap;
  std::vector<std::uint8_t> bytes;
  DType dtype;
  int zero_point;

  Pitched(const QuantTensor& tensor, int g)
      : shape(tensor.shape),
        gap(g),
        bytes(static_cast<std::size_t>(shape.pixels() * (shape.c + g)), kGuard),
        dtype(tensor.dtype),
        zero_point(tensor.zero_point) {
    for (std::int64_t i = 0; i < shape.elements(); ++i) bytes[index(i)] = tensor.bytes[static_cast<std::size_t>(i)];
  }
  Pitched(DType type, const Shape& s, int g) : Pitched(QuantTensor(type, s), g) { bytes.assign(bytes.size(), kGuard); }
  std::size_t index(std::int64_t i) const {
    return static_cast<std::size_t>(i / shape.c * (shape.c + gap) + i % shape.c);
  }
  QuantView view() {
    return {.data = bytes.data(), .dtype = dtype, .shape = shape, .pitch = shape.c + gap, .zero_point = zero_point};
  }
  QuantTensor dense() const {
    QuantTensor tensor(dtype, shape);
    for (std::int64_t i = 0; i < shape.elements(); ++i) tensor.bytes[static_cast<std::size_t>(i)] = bytes[index(i)];
    return tensor;
  }
  bool gaps_intact() const {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const auto c = static_cast<int>(i % static_cast<std::size_t>(shape.c + gap));
      if (c >= shape.c && bytes[i] != kGuard) return false;
    }
    return true;
  }
};

QuantTensor random_tensor(DType type, const Shape& shape, Random& random) {
  QuantTensor tensor(type, shape);
  const int low = type == DType::kS8 ? -127 : 0, high = type == DType::kS8 ? 127 : 255;
  for (std::int64_t i = 0; i < shape.elements(); ++i) tensor.set(i, random.integer(low, high));
  return tensor;
}

void expect_same(const Pitched& actual, const QuantTensor& want, const std::string& what) {
  EXPECT_TRUE(actual.gaps_intact()) << what;
  const QuantTensor got = actual.dense();
  for (std::int64_t i = 0; i < want.shape.elements(); ++i) {
    ASSERT_EQ(got.at(i), want.at(i)) << what << " element " << i << " of " << to_string(want.shape);
  }
}

// One ISA level, forced through the environment; one thread, then two.
class Int8Ops : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { ASSERT_EQ(setenv("GPUEVAL_CPU_ISA", to_string(GetParam()).c_str(), 1), 0); }
  void TearDown() override {
    unsetenv("GPUEVAL_CPU_ISA");
    set_threads(0);
  }
  Random random_{7};
};

constexpr DType kTypes[] = {DType::kU8, DType::kS8};

const struct {
  Shape shape;
  Window window;
} kPools[] = {
    {{1, 1, 1, 1}, {.kernel_h = 1, .kernel_w = 1, .pad = {}}},
    {{2, 13, 12, 3}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {}}},
    {{1, 9, 9, 64}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {0, 1, 0, 1}}},
    {{1, 7, 8, 65}, {.kernel_h = 3, .kernel_w = 3, .pad = {1, 1, 1, 1}}},
    {{1, 5, 6, 728}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {1, 1, 1, 1}}},
    {{1, 6, 6, 130}, {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .pad = {}}},
    // whole chunks of channels, a stride of 1: narrower than the window, no border, uneven ones
    {{1, 3, 1, 64}, {.kernel_h = 3, .kernel_w = 3, .pad = {1, 1, 1, 1}}},
    {{2, 4, 2, 128}, {.kernel_h = 3, .kernel_w = 3, .pad = {1, 1, 1, 1}}},
    {{1, 5, 9, 192}, {.kernel_h = 3, .kernel_w = 3, .pad = {}}},
    {{1, 4, 6, 64}, {.kernel_h = 3, .kernel_w = 3, .pad = {0, 2, 2, 0}}},
    {{1, 4, 6, 64}, {.kernel_h = 1, .kernel_w = 3, .pad = {0, 0, 0, 2}}},
};

TEST_P(Int8Ops, MaxPool) {
  for (const auto& [shape, window] : kPools) {
    for (const DType src : kTypes) {
      for (const DType dst : kTypes) {
        for (const float m : {1.0f, 0.61f}) {
          set_threads(1 + random_.integer(0, 1));
          const QuantTensor x = random_tensor(src, shape, random_);
          Pitched in(x, random_.integer(0, 5));
          Pitched out(dst, {shape.n, window.out_h(shape.h), window.out_w(shape.w), shape.c}, random_.integer(0, 5));
          max_pool(in.view(), window, m, out.view());
          expect_same(out, reference::max_pool(x, window, m, dst), "max_pool");
        }
      }
    }
  }
}

TEST_P(Int8Ops, AvgPool) {
  for (const auto& [shape, window] : kPools) {
    for (const DType src : kTypes) {
      for (const DType dst : kTypes) {
        std::vector<float> m;
        for (int count = 1; count <= window.kernel_h * window.kernel_w; ++count) {
          m.push_back(0.93f / static_cast<float>(count));
        }
        const QuantTensor x = with_zero_point(random_tensor(src, shape, random_), random_);
        Pitched in(x, random_.integer(0, 5));
        Pitched out(dst, {shape.n, window.out_h(shape.h), window.out_w(shape.w), shape.c}, random_.integer(0, 5));
        out.zero_point = random_zero_point(dst, random_);
        avg_pool(in.view(), window, m, out.view());
        expect_same(out, reference::avg_pool(x, window, m, dst, out.zero_point), "avg_pool");
      }
    }
  }
}

// 257 taps of 255 are the most that 16 bits hold.
TEST_P(Int8Ops, GlobalAvgPoolOfExtremesDoesNotOverflow) {
  for (const int taps : {256, 257, 258, 600}) {
    for (const auto& [type, value] : {std::pair{DType::kU8, 255}, {DType::kS8, 127}, {DType::kS8, -127}}) {
      QuantTensor x(type, {1, 1, taps, 64});
      for (std::int64_t i = 0; i < x.shape.elements(); ++i) x.set(i, value);
      Pitched in(x, 0), out(type, {1, 1, 1, 64}, 0);
      const float m = 1.0f / static_cast<float>(taps);
      global_avg_pool(in.view(), m, out.view());
      expect_same(out, reference::global_avg_pool(x, m, type), std::to_string(taps));
      EXPECT_EQ(out.dense().at(0), value);
    }
  }
}

TEST_P(Int8Ops, GlobalAvgPool) {
  for (const Shape shape : {Shape{1, 1, 1, 1}, Shape{2, 7, 7, 1000}, Shape{1, 13, 13, 67}, Shape{3, 2, 5, 128}}) {
    for (const DType src : kTypes) {
      const float m = 1.3f / static_cast<float>(shape.h * shape.w);
      const QuantTensor x = with_zero_point(random_tensor(src, shape, random_), random_);
      Pitched in(x, random_.integer(0, 5));
      for (const DType dst : kTypes) {
        Pitched out(dst, {shape.n, 1, 1, shape.c}, random_.integer(0, 5));
        out.zero_point = random_zero_point(dst, random_);
        global_avg_pool(in.view(), m, out.view());
        expect_same(out, reference::global_avg_pool(x, m, dst, out.zero_point), "global_avg_pool");
      }
      std::vector<float> floats(static_cast<std::size_t>(shape.n * shape.c));
      global_avg_pool_f32(in.view(), m, floats.data());
      EXPECT_EQ(floats, reference::global_avg_pool_f32(x, m));
    }
  }
}

TEST_P(Int8Ops, AddAndRequantize) {
  for (const Shape shape : {Shape{1, 1, 1, 1}, Shape{2, 5, 7, 64}, Shape{1, 9, 9, 729}}) {
    for (const DType a : kTypes) {
      for (const DType dst : kTypes) {
        for (const DType b : kTypes) {
          const QuantTensor x = random_tensor(a, shape, random_), y = random_tensor(b, shape, random_);
          Pitched first(x, random_.integer(0, 1)), second(y, random_.integer(0, 1)),
              out(dst, shape, random_.integer(0, 1));
          add(first.view(), 0.71f, second.view(), 1.37f, 0, 101.3f, out.view());
          expect_same(out, reference::add(x, 0.71f, y, 1.37f, 0, 101.3f, dst), "add");
        }
        const QuantTensor x = random_tensor(a, shape, random_);
        Pitched in(x, random_.integer(0, 1)), out(dst, shape, random_.integer(0, 1));
        for (const float m : {1.0f, 0.5f, 1e12f}) {  // 0.5: every other value is a tie
          const float lo = reference::lowest(dst), hi = reference::highest(dst);
          requantize(in.view(), m, lo, hi, out.view());
          expect_same(out, reference::requantize(x, m, lo, hi, dst), "requantize");
          requantize(in.view(), m, 0, hi, out.view());
          expect_same(out, reference::requantize(x, m, 0, hi, dst), "requantize with ReLU");
        }
      }
    }
  }
}

TEST_P(Int8Ops, Affine) {
  Random random(14);
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 5, 7, 3}, Shape{1, 3, 3, 16}, Shape{2, 9, 11, 67}}) {
    std::vector<float> m, b;
    for (int c = 0; c < shape.c; ++c) {  // halves: ties are frequent
      const bool halves = random.integer(0, 1) == 1;
      m.push_back(halves ? static_cast<float>(random.integer(-4, 4)) * 0.5f : static_cast<float>(random.normal()));
      b.push_back(halves ? static_cast<float>(random.integer(-200, 200)) * 0.5f
                         : static_cast<float>(random.normal() * 50));
    }
    for (const DType src_type : {DType::kU8, DType::kS8}) {
      const QuantTensor src = random_tensor(src_type, shape, random);
      Pitched in(src, 5);
      for (const DType type : {DType::kU8, DType::kS8}) {
        for (const float lo : {reference::lowest(type), 0.0f}) {
          const float hi = lo == 0.0f ? 77.7f : reference::highest(type);
          Pitched out(type, shape, 3);
          affine(in.view(), m, b, lo, hi, out.view());
          expect_same(out, reference::affine(src, m, b, lo, hi, type), "affine");
        }
      }
      std::vector<float> floats(static_cast<std::size_t>(shape.elements()));
      affine(in.view(), m, b, -30.5f, INFINITY,
             {.data = floats.data(), .dtype = DType::kF32, .shape = shape, .pitch = shape.c});
      EXPECT_EQ(floats, reference::affine_f32(src, m, b, -30.5f)) << to_string(shape);
    }
  }
}

// All bytes, in runs of every length around those of vectors.
TEST_P(Int8Ops, Lookup) {
  std::vector<std::uint8_t> table;
  for (int i = 0; i < 256; ++i) table.push_back(static_cast<std::uint8_t>(random_.integer(0, 255)));
  for (const int channels : {1, 31, 32, 33, 63, 64, 65, 127, 300}) {
    for (const int gap : {0, 3}) {
      QuantTensor x(DType::kU8, {1, 3, 3, channels});
      for (std::int64_t i = 0; i < x.shape.elements(); ++i) x.set(i, static_cast<int>((i * 7 + channels) % 256));
      Pitched in(x, gap), out(DType::kS8, x.shape, gap);
      lookup(in.view(), table, out.view());
      expect_same(out, reference::lookup(x, table, DType::kS8), "lookup");
    }
  }
}

TEST_P(Int8Ops, PReluAndPairs) {
  const struct {
    Shape a, b;
  } pairs[] = {{{2, 3, 5, 67}, {2, 3, 5, 67}},  {{2, 3, 5, 600}, {2, 1, 1, 600}}, {{2, 1, 1, 20}, {2, 2, 3, 20}},
               {{1, 4, 2, 1100}, {1, 4, 2, 1}}, {{2, 1, 3, 1}, {2, 4, 1, 16}},    {{1, 1, 1, 1}, {1, 1, 1, 1}}};
  for (const auto& pair : pairs) {
    for (const auto& [a, b, dst] : {std::tuple{DType::kU8, DType::kS8, DType::kS8},
                                    {DType::kU8, DType::kU8, DType::kU8},
                                    {DType::kS8, DType::kU8, DType::kU8},
                                    {DType::kS8, DType::kS8, DType::kS8}}) {
      const QuantTensor x = random_tensor(a, pair.a, random_), y = random_tensor(b, pair.b, random_);
      for (int kind = 0; kind < 5; ++kind) {
        const auto operation = static_cast<BinaryKind>(kind);
        const bool product = operation == BinaryKind::kMultiply;
        const float m1 = product ? 0.01f : 0.5f;  // every other number is a tie
        const QuantTensor p = product ? with_zero_point(x, random_) : x, q = product ? with_zero_point(y, random_) : y;
        const int zero = product ? random_zero_point(dst, random_) : 0;
        const QuantTensor want = reference::binary(operation, p, m1, q, 0.71f, dst, zero);
        Pitched first(p, random_.integer(0, 1)), second(q, random_.integer(0, 1));
        Pitched out(dst, want.shape, random_.integer(0, 1));
        out.zero_point = zero;
        binary(operation, first.view(), m1, second.view(), 0.71f, out.view());
        expect_same(out, want, to_string(operation));
      }
      for (const std::int64_t count : {std::int64_t{pair.a.c}, pair.a.elements() / pair.a.n}) {
        std::vector<float> m(static_cast<std::size_t>(count), 0.5f), slopes;
        for (std::int64_t i = 0; i < count; ++i) slopes.push_back(static_cast<float>(random_.uniform(-1, 1)));
        Pitched in(x, 2), out(dst, x.shape, 1);
        prelu(in.view(), m, slopes, out.view());
        expect_same(out, reference::prelu(x, m, slopes, dst), "prelu");
      }
    }
  }
}

TEST_P(Int8Ops, QuantizeAndMaxAbs) {
  for (const Shape shape : {Shape{1, 1, 1, 1}, Shape{2, 5, 7, 3}, Shape{1, 19, 9, 1001}}) {
    for (const DType dst : kTypes) {
      for (const int gap : {0, 3}) {
        const auto pitch = static_cast<std::size_t>(shape.c + gap), channels = static_cast<std::size_t>(shape.c);
        std::vector<float> x(static_cast<std::size_t>(shape.pixels()) * pitch, 1e30f), dense;
        for (std::size_t i = 0; i < x.size(); ++i) {
          if (i % pitch >= channels) continue;
          x[i] = static_cast<float>(random_.integer(0, 9) == 0 ? random_.integer(-400, 400) * 0.25
                                                               : random_.normal() * 60);
          dense.push_back(x[i]);
        }
        for (const float scale : {0.5f, 0.37f, 1e-38f}) {
          Pitched out(dst, shape, gap);
          quantize(x.data(), static_cast<std::int64_t>(pitch), scale, out.view());
          expect_same(out, reference::quantize(dense, shape, scale, dst), "quantize");
        }
        EXPECT_EQ(max_abs(x.data(), shape, static_cast<std::int64_t>(pitch)), reference::max_abs(dense));
      }
    }
  }
}

// Next to a tie one wrong bit of the quotient changes the result.
TEST_P(Int8Ops, QuantizeNextToTies) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> scales{1.0f / 127, 6.0f / 255, 1.0f, 3e38f, 1e-30f};
  for (int i = 0; i < 400; ++i) scales.push_back(static_cast<float>(std::exp2(random_.uniform(-70, 70))));
  for (const float scale : scales) {
    std::vector<float> x{0.0f, -0.0f, 1e30f, -1e30f, 3e38f, 1e-40f, std::numeric_limits<float>::min()};
    for (int k = -130; k <= 260; ++k) {
      float near = static_cast<float>((k + 0.5) * scale);
      for (int i = 0; i < 3; ++i) near = std::nextafter(near, -kInfinity);
      for (int i = 0; i < 7; ++i, near = std::nextafter(near, kInfinity)) x.push_back(near);
    }
    const Shape shape{1, 1, 1, static_cast<int>(x.size())};
    for (const DType dst : kTypes) {
      Pitched out(dst, shape, 0);
      quantize(x.data(), shape.c, scale, out.view());
      expect_same(out, reference::quantize(x, shape, scale, dst), "quantize");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Int8Ops, testing::ValuesIn(usable_isas()),
                         [](const testing::TestParamInfo<Isa>& isa) { return to_string(isa.param); });

}  // namespace
}  // namespace gpueval::cpu
