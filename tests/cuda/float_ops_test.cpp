// SPDX-License-Identifier: Apache-2.0
// The float operations of cuda/ops/, on the emulator and on a GPU, against the reference: small integers exactly,
// random numbers within the derived tolerance; all schedules give the same bits, and nothing is written outside the
// tensor.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "cuda/runtime/tables.h"
#include "cuda/selftest/float_case.h"
#include "emulator/emulator.h"
#include "support/runtimes.h"

namespace gpueval::cuda {
namespace {

struct Schedules {
  ~Schedules() { emulator::set_options({}); }
  static constexpr emulator::Schedule kAll[] = {emulator::Schedule::kAscending, emulator::Schedule::kDescending,
                                                emulator::Schedule::kRandom};
};

struct ConvCase {
  const char* desc;
  Activation act = Activation::kNone;
  bool residual = false, bias = true;
  int src_gap = 0, dst_gap = 0, residual_gap = 0;
};

ReferenceNode conv_node(const ConvDesc& desc, Activation act) {
  ReferenceNode node{.op = Conv2D{desc.window, act},
                     .src = {1, desc.h, desc.w, desc.c},
                     .dst = {1, desc.p(), desc.q(), desc.k},
                     .weights = {},
                     .bias = {}};
  if (desc.depthwise) node.op = DepthwiseConv2D{desc.window, act};
  return node;
}

// Runs the case under every schedule; empty, or what is wrong.
std::string check_conv(Runtime& runtime, const ConvCase& c, DType type, bool integers) {
  const ConvDesc desc = parse_conv_desc(c.desc);
  ReferenceNode node = conv_node(desc, c.act);
  const Shape in{desc.n, desc.h, desc.w, desc.c}, out{desc.n, desc.p(), desc.q(), desc.k};
  const std::int64_t weight_count = desc.depth() * desc.k;
  const std::vector<float> src = numbers(in.elements(), type, integers, 3, 1);
  node.weights = numbers(weight_count, type, integers, 2, 2);
  if (c.bias) node.bias = numbers(desc.k, DType::kF32, integers, 5, 3);
  std::vector<float> residual;
  if (c.residual) residual = numbers(out.elements(), type, integers, 9, 4);

  Expected want{.values = node.run(src, residual), .magnitude = {}};
  ReferenceNode magnitudes = conv_node(desc, Activation::kNone);
  magnitudes.weights = absolute(node.weights);
  magnitudes.bias = absolute(node.bias);
  want.magnitude = magnitudes.run(absolute(src), absolute(residual));

  const DeviceTensor device_src(runtime, type, in, c.src_gap, src);
  const DeviceTensor weights(runtime, type, {1, 1, 1, static_cast<int>(weight_count)}, 0, node.weights);
  const DeviceTensor bias(runtime, DType::kF32, {1, 1, 1, desc.k}, 0, node.bias);
  const DeviceTensor device_residual(runtime, type, out, c.residual_gap, residual);
  std::vector<float> first;
  const Schedules restore;
  for (const emulator::Schedule schedule : Schedules::kAll) {
    emulator::set_options({.schedule = schedule});
    const DeviceTensor dst(runtime, type, out, c.dst_gap);
    ops_of(runtime).conv_float(desc, device_src.view(), weights.view().data,
                               c.bias ? static_cast<const float*>(bias.view().data) : nullptr,
                               c.residual ? device_residual.view() : DeviceView{}, c.act, dst.view(), {});
    bool damaged = false;
    const std::vector<float> actual = dst.read(&damaged);
    if (damaged) return "bytes outside the tensor changed";
    if (first.empty()) first = actual;
    if (actual != first) return "schedules differ";
  }
  return compare_floats(first, want, type, desc.depth() + 2, integers, desc.k);
}

const ConvCase kConvCases[] = {
    // Tiles: 64 rows, 64 columns, 16 depths, each +-1; no bias, residual, activations.
    {"n1h1w1c1_k1r1s1_st1_pad0,0,0,0"},
    {"n1h8w8c16_k64r1s1_st1_pad0,0,0,0", Activation::kRelu},
    {"n1h9w7c17_k63r1s1_st1_pad0,0,0,0", Activation::kNone, true},
    {"n1h13w5c15_k65r1s1_st1_pad0,0,0,0", Activation::kRelu6, true, false},
    {"n2h7w7c4_k12r3s3_st1_pad1,1,1,1", Activation::kRelu, true, true, 4, 8, 12},
    {"n2h7w7c4_k12r3s3_st1_pad1,1,1,1", Activation::kRelu, true, true, 1, 3, 2},
    {"n1h11w10c3_k20r3s3_st2_pad0,1,0,1", Activation::kRelu6},
    {"n1h15w15c3_k9r7s7_st2_pad3,3,3,3"},
    {"n1h6w9c20_k8r1s7_st1_pad0,0,3,3", Activation::kRelu},
    {"n1h9w6c20_k8r7s1_st1_pad3,3,0,0"},
    {"n1h7w7c12_k8r5s5_st1_pad2,2,2,2"},
    {"n1h7w8c8_k8r3s3_st2x1_pad0,2,1,0"},
    {"n1h2w2c728_k20r1s1_st1_pad0,0,0,0", Activation::kNone, false, true, 8},
    {"n1h3w3c16_k1000r1s1_st1_pad0,0,0,0"},
    {"n1h2w2c5_k3r5s5_st1_pad2,2,2,2"},     // every window hangs over
    {"n33h16w16c8_k8r1s1_st1_pad0,0,0,0"},  // many rows
    {"n50h23w23c4_k8r1s1_st1_pad0,0,0,0"},  // 207 large tiles, the last one partly filled
    {"n50h23w23c3_k6r2s2_st1_pad0,1,1,0", Activation::kRelu, true},
    // Dense layers: few images and many.
    {"n1h1w1c100_k1000r1s1_st1_pad0,0,0,0"},
    {"n5h1w1c33_k33r1s1_st1_pad0,0,0,0", Activation::kRelu, true, true, 3, 2, 1},
    {"n16h1w1c64_k31r1s1_st1_pad0,0,0,0", Activation::kNone, false, false},
    {"n17h1w1c64_k32r1s1_st1_pad0,0,0,0"},
    // Depthwise.
    {"n1h1w1c1_dw_r3s3_st1_pad1,1,1,1"},
    {"n2h9w9c8_dw_r3s3_st1_pad1,1,1,1", Activation::kRelu6, false, true, 4, 8},
    {"n1h10w11c6_dw_r3s3_st2_pad0,1,1,1", Activation::kRelu},
    {"n1h8w8c8_dw_r3s3_st2_pad0,1,0,1", Activation::kNone, true},
    {"n1h5w7c728_dw_r3s3_st1_pad1,1,1,1"},
    {"n1h9w6c12_dw_r5s5_st1_pad2,2,2,2"},
    {"n1h9w8c5_dw_r3s3_st2x1_pad1,1,0,2"},
    {"n1h6w6c4_dw_r2s3_st3_pad0,0,1,1"},
};

// Device ("emu", "gpu") and type.
class FloatOps : public testing::TestWithParam<std::tuple<std::string, DType>> {
 protected:
  void SetUp() override {
    std::string why;
    runtime_ = std::get<0>(GetParam()) == "emu" ? &emu_runtime() : gpu_runtime(&why);
    if (runtime_ == nullptr) GTEST_SKIP() << why;
  }
  Runtime& device() { return *runtime_; }
  static DType type() { return std::get<1>(GetParam()); }

 private:
  Runtime* runtime_ = nullptr;
};

TEST_P(FloatOps, ConvolutionsOfSmallIntegersAreExact) {
  for (const ConvCase& c : kConvCases) EXPECT_EQ(check_conv(device(), c, type(), true), "") << c.desc;
}

TEST_P(FloatOps, ConvolutionsOfRandomNumbersAreClose) {
  for (const ConvCase& c : kConvCases) EXPECT_EQ(check_conv(device(), c, type(), false), "") << c.desc;
}

struct PoolCase {
  Shape src;
  Window window;
  int src_gap, dst_gap;
};

Window window(int kernel, int stride, const Padding& pad = {}) { return {kernel, kernel, stride, stride, pad}; }

TEST_P(FloatOps, Pools) {
  const DType type = FloatOps::type();
  Runtime& runtime = device();
  const PoolCase cases[] = {{{2, 7, 8, 8}, window(3, 2, {0, 1, 0, 1}), 0, 0},
                            {{1, 7, 8, 5}, window(3, 2), 3, 2},
                            {{1, 6, 5, 12}, window(3, 1, {1, 1, 1, 1}), 4, 8},
                            {{1, 1, 1, 1}, window(3, 2, {1, 1, 1, 1}), 0, 0},
                            {{1, 4, 6, 3}, {2, 3, 2, 1, {0, 0, 2, 0}}, 1, 1}};
  for (const PoolCase& c : cases) {
    const Shape out{c.src.n, c.window.out_h(c.src.h), c.window.out_w(c.src.w), c.src.c};
    const std::vector<float> src = numbers(c.src.elements(), type, false, 0, 5);
    const DeviceTensor device_src(runtime, type, c.src, c.src_gap, src);
    for (const bool largest : {true, false}) {
      const Op op = largest ? Op{MaxPool{c.window}} : Op{AvgPool{c.window}};
      const ReferenceNode node{op, {1, c.src.h, c.src.w, c.src.c}, {1, out.h, out.w, out.c}, {}, {}};
      const Expected want{node.run(src, {}), node.run(absolute(src), {})};
      const DeviceTensor dst(runtime, type, out, c.dst_gap);
      (largest ? ops_of(runtime).max_pool_float : ops_of(runtime).avg_pool_float)(device_src.view(), c.window,
                                                                                  dst.view(), {});
      bool damaged = false;
      const std::vector<float> actual = dst.read(&damaged);
      EXPECT_FALSE(damaged);
      const int taps = c.window.kernel_h * c.window.kernel_w;
      EXPECT_EQ(compare_floats(actual, want, type, taps, largest, out.c), "") << to_string(c.src) << " max " << largest;
    }
  }
}

TEST_P(FloatOps, GlobalAverage) {
  const DType type = FloatOps::type();
  Runtime& runtime = device();
  const Schedules restore;
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 7, 7, 33}, Shape{3, 5, 3, 32}, Shape{1, 13, 13, 100}}) {
    const ReferenceNode node{GlobalAvgPool{}, {1, shape.h, shape.w, shape.c}, {1, 1, 1, shape.c}, {}, {}};
    for (const bool integers : {true, false}) {
      const std::vector<float> src = numbers(shape.elements(), type, integers, 9, 6);
      const Expected want{node.run(src, {}), node.run(absolute(src), {})};
      const DeviceTensor device_src(runtime, type, shape, 3, src);
      for (const emulator::Schedule schedule : Schedules::kAll) {
        emulator::set_options({.schedule = schedule});
        const DeviceTensor dst(runtime, type, {shape.n, 1, 1, shape.c}, 5);
        ops_of(runtime).global_avg_pool_float(device_src.view(), dst.view(), {});
        bool damaged = false;
        const std::vector<float> actual = dst.read(&damaged);
        EXPECT_FALSE(damaged);
        // Sums of small integers are exact, and a mean is one rounding.
        EXPECT_EQ(compare_floats(actual, want, type, shape.h * shape.w, integers, shape.c), "") << to_string(shape);
      }
    }
  }
}

TEST_P(FloatOps, Elementwise) {
  const DType type = FloatOps::type();
  Runtime& runtime = device();
  const Ops& ops = ops_of(runtime);
  for (const auto& [of, gap] : {std::pair{Shape{2, 3, 5, 8}, 4}, {Shape{1, 7, 3, 5}, 1}, {Shape{1, 1, 1, 300}, 0}}) {
    const Shape shape = of;
    const std::vector<float> a = numbers(shape.elements(), type, false, 0, 7);
    const std::vector<float> b = numbers(shape.elements(), type, false, 0, 8);
    const std::vector<float> gain = numbers(shape.c, DType::kF32, false, 0, 9);
    const std::vector<float> mean = numbers(shape.c, DType::kF32, false, 0, 10);
    const std::vector<float> beta = numbers(shape.c, DType::kF32, false, 0, 11);
    const DeviceTensor da(runtime, type, shape, gap, a), db(runtime, type, shape, 2 * gap, b);
    const Shape row{1, 1, 1, shape.c};
    const DeviceTensor dgain(runtime, DType::kF32, row, 0, gain), dmean(runtime, DType::kF32, row, 0, mean),
        dbeta(runtime, DType::kF32, row, 0, beta);
    const auto pointer = [](const DeviceTensor& t) { return static_cast<const float*>(t.view().data); };
    for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kRelu6}) {
      const auto expect = [&](const DeviceTensor& dst, auto&& value) {
        bool damaged = false;
        const std::vector<float> actual = dst.read(&damaged);
        EXPECT_FALSE(damaged);
        for (std::size_t i = 0; i < actual.size(); ++i) {
          float want = value(i, i % static_cast<std::size_t>(shape.c));
          if (act != Activation::kNone) want = std::max(want, 0.0f);
          if (act == Activation::kRelu6) want = std::min(want, 6.0f);
          ASSERT_EQ(actual[i], round_to(type, want)) << to_string(shape) << " at " << i;
        }
      };
      const DeviceTensor sum(runtime, type, shape, gap), relu(runtime, type, shape, gap), norm(runtime, type, shape, 4);
      ops.add_float(da.view(), db.view(), act, sum.view(), {});
      expect(sum, [&](std::size_t i, std::size_t) { return a[i] + b[i]; });
      ops.relu_float(da.view(), act, relu.view(), {});
      expect(relu, [&](std::size_t i, std::size_t) { return a[i]; });
      ops.batch_norm(da.view(), pointer(dgain), pointer(dmean), pointer(dbeta), act, norm.view(), {});
      expect(norm, [&](std::size_t i, std::size_t c) { return (a[i] - mean[c]) * gain[c] + beta[c]; });
      const DeviceTensor scaled(runtime, type, shape, gap);
      ops.affine_float(da.view(), pointer(dgain), pointer(dbeta), act, scaled.view(), {});
      expect(scaled, [&](std::size_t i, std::size_t c) { return a[i] * gain[c] + beta[c]; });
      const DeviceTensor in_place(runtime, type, shape, gap, a);
      ops.relu_float(in_place.view(), act, in_place.view(), {});
      expect(in_place, [&](std::size_t i, std::size_t) { return a[i]; });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, FloatOps,
                         testing::Combine(testing::Values<std::string>("emu", "gpu"),
                                          testing::Values(DType::kF32, DType::kF16)),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + to_string(std::get<1>(test.param));
                         });

TEST(FloatOpsCast, RoundsOnceAndBack) {
  Runtime& runtime = emu_runtime();
  for (const auto& [shape, gap] : {std::pair{Shape{1, 3, 5, 8}, 4}, {Shape{2, 1, 3, 7}, 2}}) {
    const std::vector<float> x = numbers(shape.elements(), DType::kF32, false, 0, 12);
    const DeviceTensor src(runtime, DType::kF32, shape, gap, x), half(runtime, DType::kF16, shape, 2 * gap),
        back(runtime, DType::kF32, shape, 0);
    ops_of(runtime).cast(src.view(), half.view(), {});
    ops_of(runtime).cast(half.view(), back.view(), {});
    bool damaged = false, half_damaged = false;
    const std::vector<float> actual = back.read(&damaged), halves = half.read(&half_damaged);
    EXPECT_FALSE(damaged || half_damaged);
    EXPECT_EQ(actual, halves);
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(halves[i], round_to(DType::kF16, x[i]));
  }
}

TEST(FloatOpsErrors, NameWhatIsWrong) {
  Runtime& runtime = emu_runtime();
  const DeviceTensor f32(runtime, DType::kF32, {1, 2, 2, 4}, 0), f16(runtime, DType::kF16, {1, 2, 2, 4}, 0);
  const auto message = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const std::exception& e) {
      return e.what();
    }
    return "no error";
  };
  const Ops& ops = ops_of(runtime);
  EXPECT_EQ(message([&] { ops.relu_float(f32.view(), Activation::kRelu, f16.view(), {}); }),
            "relu_float: expected tensors of one type, found f32 and f16");
  DeviceView bytes = f32.view();
  bytes.dtype = DType::kU8;
  EXPECT_EQ(message([&] { ops.cast(bytes, f16.view(), {}); }), "cast: expected float32 or float16 tensors, found u8");
  const ConvDesc desc = parse_conv_desc("n1h2w2c4_k8r1s1_st1_pad0,0,0,0");
  EXPECT_EQ(message([&] {
              ops.conv_float(desc, f32.view(), f32.view().data, nullptr, {}, Activation::kNone, f32.view(), {});
            }),
            "conv_float n1h2w2c4_k8r1s1_st1_pad0,0,0,0: expected dst 1x2x2x8 of f32, found 1x2x2x4 of f32");
}

}  // namespace
}  // namespace gpueval::cuda
