// SPDX-License-Identifier: Apache-2.0
// One prepared float convolution (cuda/engine/float_conv.h) with bias, residual and activation, next to the reference.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cuda/engine/float_conv.h"
#include "cuda/runtime/handles.h"
#include "cuda/selftest/float_case.h"

namespace gpueval::cuda {

struct FloatConvCase {
  const char* desc;
  Activation act = Activation::kNone;
  bool residual = false, bias = true;
};

struct FloatConvData {
  ConvDesc desc;
  FloatConvCase options;
  DType type;
  bool integers;
  std::vector<float> src, weights, bias, residual;
  Expected want;

  FloatConvData(const FloatConvCase& c, DType t, bool small_integers)
      : desc(parse_conv_desc(c.desc)), options(c), type(t), integers(small_integers) {
    const Shape in{desc.n, desc.h, desc.w, desc.c}, out{desc.n, desc.p(), desc.q(), desc.k};
    src = numbers(in.elements(), type, integers, 3, 1);
    weights = numbers(desc.depth() * desc.k, type, integers, 2, 2);
    if (c.bias) bias = numbers(desc.k, DType::kF32, integers, 5, 3);
    if (c.residual) residual = numbers(out.elements(), type, integers, 9, 4);
    want = {node(c.act, weights, bias).run(src, residual),
            node(Activation::kNone, absolute(weights), absolute(bias)).run(absolute(src), absolute(residual))};
  }

  FloatConvParams params(FloatMath math) const {
    return {.desc = desc,
            .type = type,
            .math = math,
            .act = options.act,
            .residual = options.residual,
            .weights = weights,
            .bias = bias};
  }

  // The first n images' output; *damaged: more was written.
  std::vector<float> run(Runtime& runtime, FloatConv& conv, int n, bool* damaged) const {
    const Shape in{n, desc.h, desc.w, desc.c}, out{n, desc.p(), desc.q(), desc.k};
    const auto first = [](const std::vector<float>& values, const Shape& shape) {
      return values.empty() ? values : std::vector<float>(values.begin(), values.begin() + shape.elements());
    };
    const DeviceTensor device_src(runtime, type, in, 0, first(src, in)), dst(runtime, type, out, 0);
    const DeviceTensor add(runtime, type, out, 0, first(residual, out));
    const StreamHandle stream = make_stream(runtime);
    conv.run(device_src.view(), options.residual ? add.view() : DeviceView{}, dst.view(), stream.get());
    runtime.synchronize(stream.get());
    return dst.read(damaged);
  }

  // How far the result may be off. TF32 may drop the last 13 bits of both factors; a library may round to float16 its
  // bias, the sum and what its epilogue makes of it, numbers no larger than the magnitude.
  double allowed(FloatMath math, std::size_t i) const {
    const double sums = tolerance(DType::kF32, desc.depth() + 2, want.magnitude[i], 0);
    if (type == DType::kF16) return sums + 3 * (0x1p-11 * (want.magnitude[i] + sums) + 0x1p-25);
    return math == FloatMath::kTf32 ? sums + 2.01 * 0x1p-10 * want.magnitude[i] : sums;
  }

  // Empty, or what is wrong with the first n images.
  std::string check(Runtime& runtime, FloatConv& conv, FloatMath math, int n) const {
    bool damaged = false;
    const std::vector<float> actual = run(runtime, conv, n, &damaged);
    if (damaged) return "bytes outside the tensor changed";
    for (std::size_t i = 0; i < actual.size(); ++i) {
      const double expected = integers ? round_to(type, want.values[i]) : want.values[i];
      const double most = integers ? 0 : allowed(math, i);
      if (std::fabs(actual[i] - expected) <= most) continue;  // false for NaN
      return "element " + std::to_string(i) + ": " + std::to_string(actual[i]) + ", expected " +
             std::to_string(expected) + " +- " + std::to_string(most);
    }
    return "";
  }

 private:
  ReferenceNode node(Activation act, std::vector<float> w, std::vector<float> b) const {
    ReferenceNode result{.op = Conv2D{desc.window, act},
                         .src = {1, desc.h, desc.w, desc.c},
                         .dst = {1, desc.p(), desc.q(), desc.k},
                         .weights = std::move(w),
                         .bias = std::move(b)};
    if (desc.depthwise) result.op = DepthwiseConv2D{desc.window, act};
    return result;
  }
};

inline const FloatConvCase kFloatConvCases[] = {
    {"n3h9w9c16_k24r3s3_st1_pad1,1,1,1", Activation::kRelu, true},
    {"n3h9w9c16_k24r3s3_st1_pad1,1,1,1", Activation::kNone},
    {"n2h10w12c8_k16r3s3_st2_pad0,1,0,1", Activation::kRelu6},
    {"n2h15w15c3_k8r7s7_st2_pad3,3,3,3", Activation::kRelu},
    {"n2h8w9c16_k8r1s7_st1_pad0,0,3,3", Activation::kRelu},
    {"n4h5w7c32_k64r1s1_st1_pad0,0,0,0", Activation::kRelu, true},
    {"n4h5w7c32_k64r1s1_st1_pad0,0,0,0", Activation::kRelu6, false, false},
    {"n3h6w6c16_k32r1s1_st2_pad0,0,0,0", Activation::kNone, false, false},
    {"n5h1w1c64_k40r1s1_st1_pad0,0,0,0", Activation::kNone},
    {"n2h9w9c16_dw_r3s3_st1_pad1,1,1,1", Activation::kRelu6},
    {"n2h8w8c16_dw_r3s3_st2_pad0,1,0,1", Activation::kRelu},
};

}  // namespace gpueval::cuda
