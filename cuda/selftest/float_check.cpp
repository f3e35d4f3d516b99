// SPDX-License-Identifier: Apache-2.0
// float32 and float16 operations on small integers, whose sums are exact in any order: only the last rounding is left.
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "cuda/selftest/check.h"
#include "cuda/selftest/float_case.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

constexpr DType kTypes[] = {DType::kF32, DType::kF16};

// What a node of the reference makes of its sources, and run(sources, destination) on the device.
class FloatChecker {
 public:
  explicit FloatChecker(Runtime& runtime) : runtime_(runtime) {}
  const CheckResult& result() const { return result_; }

  DeviceTensor upload(DType type, const Shape& shape, int gap, const std::vector<float>& values) const {
    return {runtime_, type, shape, gap, values};
  }
  template <typename Run>
  void expect(const std::vector<float>& want, DType type, const Shape& shape, int gap, const std::string& what,
              Run&& run) {
    if (!result_.failure.empty()) return;
    ++result_.cases;
    const std::string name = fmt::format("{} to {} of {}", what, to_string(shape), to_string(type));
    try {
      const DeviceTensor dst(runtime_, type, shape, gap);
      run(dst.view());
      runtime_.synchronize(Stream{});
      bool damaged = false;
      const std::vector<float> got = dst.read(&damaged);
      const std::string wrong = compare_floats(got, {want, {}}, type, 0, true, shape.c);
      if (!wrong.empty()) result_.failure = fmt::format("{}: first difference at {}", name, wrong);
      if (wrong.empty() && damaged) result_.failure = name + ": bytes outside the tensor changed";
    } catch (const Error& error) {
      throw Error(fmt::format("{}: {}", name, error.what()));
    }
  }

 private:
  Runtime& runtime_;
  CheckResult result_;
};

struct FloatProblem {
  const char* desc;
  Activation act = Activation::kNone;
  bool residual = false, bias = true;
  int src_gap = 0, dst_gap = 0;
};
const FloatProblem kConvs[] = {{"n1h9w7c17_k63r1s1_st1_pad0,0,0,0", Activation::kNone, true},
                               {"n1h13w5c15_k65r1s1_st1_pad0,0,0,0", Activation::kRelu6, true, false},
                               {"n2h7w7c4_k12r3s3_st1_pad1,1,1,1", Activation::kRelu, true, true, 4, 8},
                               {"n1h11w10c3_k20r3s3_st2_pad0,1,0,1", Activation::kRelu6},
                               {"n1h6w9c20_k8r1s7_st1_pad0,0,3,3", Activation::kRelu, false, true, 1, 3},
                               {"n33h16w16c8_k8r1s1_st1_pad0,0,0,0"},
                               {"n1h1w1c100_k1000r1s1_st1_pad0,0,0,0"},
                               {"n5h1w1c33_k33r1s1_st1_pad0,0,0,0", Activation::kRelu, true, true, 3, 2},
                               {"n17h1w1c64_k32r1s1_st1_pad0,0,0,0"}};
const FloatProblem kDepthwise[] = {{"n1h1w1c1_dw_r3s3_st1_pad1,1,1,1"},
                                   {"n2h9w9c8_dw_r3s3_st1_pad1,1,1,1", Activation::kRelu6, false, true, 4, 8},
                                   {"n1h10w11c6_dw_r3s3_st2_pad0,1,1,1", Activation::kRelu},
                                   {"n1h8w8c8_dw_r3s3_st2_pad0,1,0,1", Activation::kNone, true},
                                   {"n1h9w6c12_dw_r5s5_st1_pad2,2,2,2"}};

CheckResult check_convs(Runtime& runtime, const Ops& ops, std::span<const FloatProblem> problems, DType type) {
  FloatChecker check(runtime);
  for (const FloatProblem& p : problems) {
    const ConvDesc d = parse_conv_desc(p.desc);
    const Shape in{d.n, d.h, d.w, d.c}, out{d.n, d.p(), d.q(), d.k}, image{1, d.h, d.w, d.c};
    const std::int64_t count = d.depth() * d.k;
    ReferenceNode node{Conv2D{d.window, p.act}, image, {1, d.p(), d.q(), d.k}, numbers(count, type, true, 2, 2), {}};
    if (d.depthwise) node.op = DepthwiseConv2D{d.window, p.act};
    if (p.bias) node.bias = numbers(d.k, DType::kF32, true, 5, 3);
    const std::vector<float> x = numbers(in.elements(), type, true, 3, 1);
    const std::vector<float> r = p.residual ? numbers(out.elements(), type, true, 9, 4) : std::vector<float>{};
    const DeviceTensor src = check.upload(type, in, p.src_gap, x), residual = check.upload(type, out, 1, r);
    const DeviceTensor weights = check.upload(type, {1, 1, 1, static_cast<int>(count)}, 0, node.weights);
    const DeviceTensor bias = check.upload(DType::kF32, {1, 1, 1, d.k}, 0, node.bias);
    check.expect(node.run(x, r), type, out, p.dst_gap, p.desc, [&](const DeviceView& dst) {
      ops.conv_float(d, src.view(), weights.view().data, p.bias ? static_cast<const float*>(bias.view().data) : nullptr,
                     p.residual ? residual.view() : DeviceView{}, p.act, dst, {});
    });
  }
  return check.result();
}
CheckResult check_conv_f32(Runtime& runtime, const Ops& ops) { return check_convs(runtime, ops, kConvs, DType::kF32); }
CheckResult check_conv_f16(Runtime& runtime, const Ops& ops) { return check_convs(runtime, ops, kConvs, DType::kF16); }
CheckResult check_depthwise_f32(Runtime& runtime, const Ops& ops) {
  return check_convs(runtime, ops, kDepthwise, DType::kF32);
}
CheckResult check_depthwise_f16(Runtime& runtime, const Ops& ops) {
  return check_convs(runtime, ops, kDepthwise, DType::kF16);
}

// Windows without padding of four pixels: their means are exact.
template <typename Pool>
CheckResult check_pool(Runtime& runtime, const Ops& ops, const char* name, const Window& window, Op op,
                       Pool Ops::*pool) {
  FloatChecker check(runtime);
  for (const DType type : kTypes) {
    for (const Shape in : {Shape{2, 8, 6, 8}, Shape{1, 6, 9, 5}, Shape{1, 2, 2, 100}}) {
      const Shape out{in.n, window.out_h(in.h), window.out_w(in.w), in.c};
      const std::vector<float> x = numbers(in.elements(), type, true, 9, 5);
      const ReferenceNode node{op, {1, in.h, in.w, in.c}, {1, out.h, out.w, out.c}, {}, {}};
      const DeviceTensor src = check.upload(type, in, 3, x);
      check.expect(node.run(x, {}), type, out, 2, name,
                   [&](const DeviceView& dst) { (ops.*pool)(src.view(), window, dst, {}); });
    }
  }
  return check.result();
}
CheckResult check_max_pool_float(Runtime& runtime, const Ops& ops) {
  constexpr Window kWindow{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {0, 1, 1, 0}};
  return check_pool(runtime, ops, "max_pool_float", kWindow, MaxPool{kWindow}, &Ops::max_pool_float);
}
CheckResult check_avg_pool_float(Runtime& runtime, const Ops& ops) {
  constexpr Window kWindow{.kernel_h = 2, .kernel_w = 2, .stride_h = 1, .stride_w = 2, .pad = {}};
  return check_pool(runtime, ops, "avg_pool_float", kWindow, AvgPool{kWindow}, &Ops::avg_pool_float);
}

CheckResult check_global_avg_pool_float(Runtime& runtime, const Ops& ops) {
  FloatChecker check(runtime);
  for (const DType type : kTypes) {
    for (const Shape in : {Shape{1, 1, 1, 1}, Shape{2, 8, 8, 33}, Shape{3, 4, 2, 32}}) {
      const std::vector<float> x = numbers(in.elements(), type, true, 9, 6);
      const ReferenceNode node{GlobalAvgPool{}, {1, in.h, in.w, in.c}, {1, 1, 1, in.c}, {}, {}};
      const DeviceTensor src = check.upload(type, in, 3, x);
      check.expect(node.run(x, {}), type, {in.n, 1, 1, in.c}, 5, "global_avg_pool_float",
                   [&](const DeviceView& dst) { ops.global_avg_pool_float(src.view(), dst, {}); });
    }
  }
  return check.result();
}

constexpr Shape kElements[] = {{2, 3, 5, 8}, {1, 7, 3, 5}, {1, 1, 1, 300}};
constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kRelu6};

float activated(float x, Activation act) {
  if (act != Activation::kNone) x = std::max(x, 0.0f);
  return act == Activation::kRelu6 ? std::min(x, 6.0f) : x;
}

// value(element, channel) before the activation; run(source, other source, activation, destination).
template <typename Value, typename Run>
CheckResult check_elements(Runtime& runtime, const char* name, Value&& value, Run&& run) {
  FloatChecker check(runtime);
  for (const DType type : kTypes) {
    for (const Shape& shape : kElements) {
      const std::vector<float> a = numbers(shape.elements(), type, true, 9, 7),
                               b = numbers(shape.elements(), type, true, 9, 8);
      const DeviceTensor first = check.upload(type, shape, 1, a), second = check.upload(type, shape, 4, b);
      for (const Activation act : kActivations) {
        std::vector<float> want;
        for (std::size_t i = 0; i < a.size(); ++i) {
          want.push_back(activated(value(a[i], b[i], i % static_cast<std::size_t>(shape.c)), act));
        }
        check.expect(want, type, shape, 1, name,
                     [&](const DeviceView& dst) { run(first.view(), second.view(), act, dst); });
      }
    }
  }
  return check.result();
}

CheckResult check_add_float(Runtime& runtime, const Ops& ops) {
  return check_elements(
      runtime, "add_float", [](float a, float b, std::size_t) { return a + b; },
      [&](const DeviceView& a, const DeviceView& b, Activation act, const DeviceView& dst) {
        ops.add_float(a, b, act, dst, {});
      });
}
CheckResult check_relu_float(Runtime& runtime, const Ops& ops) {
  return check_elements(
      runtime, "relu_float", [](float a, float, std::size_t) { return a; },
      [&](const DeviceView& a, const DeviceView&, Activation act, const DeviceView& dst) {
        ops.relu_float(a, act, dst, {});
      });
}
CheckResult check_batch_norm(Runtime& runtime, const Ops& ops) {
  constexpr int kMost = 300;
  const std::vector<float> table = numbers(3 * kMost, DType::kF32, true, 3, 9);  // gain, mean, beta
  const DeviceTensor device(runtime, DType::kF32, {1, 1, 1, 3 * kMost}, 0, table);
  const auto* gain = static_cast<const float*>(device.view().data);
  return check_elements(
      runtime, "batch_norm",
      [&](float a, float, std::size_t c) { return (a - table[kMost + c]) * table[c] + table[2 * kMost + c]; },
      [&](const DeviceView& a, const DeviceView&, Activation act, const DeviceView& dst) {
        ops.batch_norm(a, gain, gain + kMost, gain + 2 * kMost, act, dst, {});
      });
}

CheckResult check_affine_float(Runtime& runtime, const Ops& ops) {
  constexpr int kMost = 300;
  const std::vector<float> table = numbers(2 * kMost, DType::kF32, true, 3, 9);  // gamma, beta
  const DeviceTensor device(runtime, DType::kF32, {1, 1, 1, 2 * kMost}, 0, table);
  const auto* gamma = static_cast<const float*>(device.view().data);
  return check_elements(
      runtime, "affine_float", [&](float a, float, std::size_t c) { return a * table[c] + table[kMost + c]; },
      [&](const DeviceView& a, const DeviceView&, Activation act, const DeviceView& dst) {
        ops.affine_float(a, gamma, gamma + kMost, act, dst, {});
      });
}

CheckResult check_finish_float(Runtime& runtime, const Ops& ops) {
  const std::vector<float> bias = numbers(300, DType::kF32, true, 3, 9);
  const DeviceTensor device(runtime, DType::kF32, {1, 1, 1, 300}, 0, bias);
  return check_elements(
      runtime, "finish_float", [&](float a, float b, std::size_t c) { return a + bias[c] + b; },
      [&](const DeviceView& a, const DeviceView& b, Activation act, const DeviceView& dst) {
        ops.finish_float(a, static_cast<const float*>(device.view().data), b, act, dst, {});
      });
}

// Of functions those that round only once here: slopes that are powers of two.
CheckResult check_activate_float(Runtime& runtime, const Ops& ops) {
  FloatChecker check(runtime);
  const Function functions[] = {{.kind = FunctionKind::kRelu, .alpha = 0.25f, .beta = 1, .most = 5},
                                {.kind = FunctionKind::kHardSigmoid, .alpha = 0.125f, .beta = 0.5f},
                                {FunctionKind::kAbs}};
  for (const DType type : kTypes) {
    for (const Shape& shape : kElements) {
      const std::vector<float> x = numbers(shape.elements(), type, true, 9, 7);
      const DeviceTensor src = check.upload(type, shape, 4, x);
      for (const Function& function : functions) {
        std::vector<float> want;
        for (const float value : x) want.push_back(static_cast<float>(apply(function, value)));
        check.expect(want, type, shape, 1, to_string(function.kind),
                     [&](const DeviceView& dst) { ops.activate_float(src.view(), function, dst, {}); });
      }
    }
  }
  return check.result();
}

CheckResult check_prelu_float(Runtime& runtime, const Ops& ops) {
  FloatChecker check(runtime);
  for (const DType type : kTypes) {
    for (const Shape& shape : kElements) {
      for (const bool per_element : {false, true}) {
        const std::int64_t image = shape.elements() / shape.n, count = per_element ? image : shape.c;
        const std::vector<float> x = numbers(shape.elements(), type, true, 9, 7),
                                 alpha = numbers(count, DType::kF32, true, 3, 9);
        const DeviceTensor src = check.upload(type, shape, 4, x),
                           slopes = check.upload(DType::kF32, {1, 1, 1, static_cast<int>(count)}, 0, alpha);
        std::vector<float> want;
        for (std::size_t i = 0; i < x.size(); ++i) want.push_back(x[i] < 0 ? x[i] * alpha[i % alpha.size()] : x[i]);
        check.expect(want, type, shape, 1, "prelu_float", [&](const DeviceView& dst) {
          ops.prelu_float(src.view(), static_cast<const float*>(slopes.view().data), per_element, dst, {});
        });
      }
    }
  }
  return check.result();
}

// The element of a tensor whose extents are the result's or 1.
std::size_t repeated_element(const Shape& shape, const Shape& result, std::size_t i) {
  const auto extent = [](int n) { return static_cast<std::size_t>(n); };
  const std::size_t c = i % extent(result.c), x = i / extent(result.c) % extent(result.w);
  const std::size_t row = i / extent(result.c) / extent(result.w), y = row % extent(result.h),
                    n = row / extent(result.h);
  return ((n * extent(shape.h) + y % extent(shape.h)) * extent(shape.w) + x % extent(shape.w)) * extent(shape.c) +
         c % extent(shape.c);
}

CheckResult check_binary_float(Runtime& runtime, const Ops& ops) {
  FloatChecker check(runtime);
  const struct {
    Shape a, b, dst;
  } pairs[] = {{{2, 3, 5, 8}, {2, 3, 5, 8}, {2, 3, 5, 8}},
               {{2, 3, 5, 8}, {2, 1, 1, 8}, {2, 3, 5, 8}},
               {{1, 3, 2, 1}, {1, 3, 2, 12}, {1, 3, 2, 12}},
               {{2, 1, 3, 5}, {2, 4, 1, 5}, {2, 4, 3, 5}}};
  const auto combined = [](BinaryKind kind, float a, float b) {
    if (kind == BinaryKind::kAdd) return a + b;
    if (kind == BinaryKind::kSubtract) return a - b;
    if (kind == BinaryKind::kMultiply) return a * b;
    return kind == BinaryKind::kMaximum ? std::max(a, b) : std::min(a, b);
  };
  for (const DType type : kTypes) {
    for (const auto& pair : pairs) {
      const std::vector<float> a = numbers(pair.a.elements(), type, true, 9, 7),
                               b = numbers(pair.b.elements(), type, true, 9, 8);
      const DeviceTensor first = check.upload(type, pair.a, 4, a), second = check.upload(type, pair.b, 0, b);
      for (int k = 0; k < 5; ++k) {
        const auto kind = static_cast<BinaryKind>(k);
        std::vector<float> want;
        for (std::size_t i = 0; i < static_cast<std::size_t>(pair.dst.elements()); ++i) {
          want.push_back(
              combined(kind, a[repeated_element(pair.a, pair.dst, i)], b[repeated_element(pair.b, pair.dst, i)]));
        }
        check.expect(want, type, pair.dst, 4, to_string(kind),
                     [&](const DeviceView& dst) { ops.binary_float(kind, first.view(), second.view(), dst, {}); });
      }
    }
  }
  return check.result();
}

// Equal numbers, as many as a power of two: each is that part of 1.
CheckResult check_softmax_float(Runtime& runtime, const Ops& ops) {
  FloatChecker check(runtime);
  for (const DType type : kTypes) {
    for (const int channels : {1, 16, 1024}) {
      const Shape shape{2, 1, 3, channels};
      std::vector<float> x;
      for (std::int64_t i = 0; i < shape.elements(); ++i) x.push_back(static_cast<float>(i / channels * 3 - 7));
      const DeviceTensor src = check.upload(type, shape, 3, x);
      const std::vector<float> want(x.size(), 1.0f / static_cast<float>(channels));
      check.expect(want, type, shape, 5, "softmax_float",
                   [&](const DeviceView& dst) { ops.softmax_float(src.view(), dst, {}); });
    }
  }
  return check.result();
}

// Numbers of one magnitude, half of them negative: mean 0, deviation and root mean square that magnitude.
CheckResult check_normalize_float(Runtime& runtime, const Ops& ops) {
  FloatChecker check(runtime);
  const std::vector<float> table = numbers(2 * 512, DType::kF32, true, 3, 9);  // gamma, beta
  const DeviceTensor device(runtime, DType::kF32, {1, 1, 1, 2 * 512}, 0, table);
  const auto* gamma = static_cast<const float*>(device.view().data);
  for (const DType type : kTypes) {
    for (const Normalize& op : {Normalize{.kind = NormalizeKind::kLayer}, Normalize{.kind = NormalizeKind::kRms},
                                Normalize{.kind = NormalizeKind::kGroup, .groups = 4}}) {
      for (const int channels : {8, 512}) {
        const Shape shape{2, 3, 2, channels};
        std::vector<float> x, want;
        for (std::int64_t i = 0; i < shape.elements(); ++i) {
          const float sign = i % 2 == 0 ? 1.0f : -1.0f;
          const auto c = static_cast<std::size_t>(i % channels);
          x.push_back(4 * sign);
          want.push_back(sign * table[c] + table[512 + c]);
        }
        Normalize exact = op;
        exact.eps = 0;
        const DeviceTensor src = check.upload(type, shape, 3, x);
        check.expect(want, type, shape, 1, "normalize_float", [&](const DeviceView& dst) {
          ops.normalize_float(src.view(), exact, gamma, gamma + 512, dst, {});
        });
      }
    }
  }
  return check.result();
}

CheckResult check_reduce_float(Runtime& runtime, const Ops& ops) {
  FloatChecker check(runtime);
  for (const DType type : kTypes) {
    for (const Shape in : {Shape{2, 4, 2, 8}, Shape{1, 2, 4, 64}, Shape{2, 1, 1, 1}}) {  // powers of two: exact means
      const std::vector<float> x = numbers(in.elements(), type, true, 9, 6);
      const DeviceTensor src = check.upload(type, in, 3, x);
      for (int axes = 0; axes < 8; ++axes) {
        for (int kind = 0; kind < 4; ++kind) {
          const Reduce op{
              .kind = static_cast<ReduceKind>(kind), .h = (axes & 1) != 0, .w = (axes & 2) != 0, .c = (axes & 4) != 0};
          const Shape out{in.n, op.h ? 1 : in.h, op.w ? 1 : in.w, op.c ? 1 : in.c};
          const ReferenceNode node{op, {1, in.h, in.w, in.c}, {1, out.h, out.w, out.c}, {}, {}};
          check.expect(node.run(x, {}), type, out, 5, "reduce_float",
                       [&](const DeviceView& dst) { ops.reduce_float(src.view(), op, dst, {}); });
        }
      }
    }
  }
  return check.result();
}

// Any numbers: one rounding, and none back.
CheckResult check_cast(Runtime& runtime, const Ops& ops) {
  FloatChecker check(runtime);
  for (const DType from : kTypes) {
    for (const Shape& shape : kElements) {
      const std::vector<float> x = numbers(shape.elements(), from, false, 0, 12);
      const DeviceTensor src = check.upload(from, shape, 4, x);
      check.expect(x, from == DType::kF32 ? DType::kF16 : DType::kF32, shape, 1, "cast",
                   [&](const DeviceView& dst) { ops.cast(src.view(), dst, {}); });
    }
  }
  return check.result();
}

constexpr OperationCheck kChecks[] = {{"conv_f32", check_conv_f32},
                                      {"conv_f16", check_conv_f16},
                                      {"depthwise_f32", check_depthwise_f32},
                                      {"depthwise_f16", check_depthwise_f16},
                                      {"max_pool_float", check_max_pool_float},
                                      {"avg_pool_float", check_avg_pool_float},
                                      {"global_avg_pool_float", check_global_avg_pool_float},
                                      {"add_float", check_add_float},
                                      {"relu_float", check_relu_float},
                                      {"batch_norm", check_batch_norm},
                                      {"affine_float", check_affine_float},
                                      {"activate_float", check_activate_float},
                                      {"prelu_float", check_prelu_float},
                                      {"binary_float", check_binary_float},
                                      {"softmax_float", check_softmax_float},
                                      {"normalize_float", check_normalize_float},
                                      {"reduce_float", check_reduce_float},
                                      {"cast", check_cast},
                                      {"finish_float", check_finish_float}};

}  // namespace

std::span<const OperationCheck> float_checks() { return kChecks; }

}  // namespace gpueval::cuda
