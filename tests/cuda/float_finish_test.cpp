// SPDX-License-Identifier: Apache-2.0
// The epilogues behind a library's sums, and our prepared convolutions in the harness that also judges the libraries'.
#include <gtest/gtest.h>

#include "cuda/conv/conv_kernel.h"
#include "cuda/runtime/tables.h"
#include "float_conv_case.h"
#include "ops_case.h"
#include "reference/reference.h"

namespace gpueval::cuda {
namespace {

class FloatFinish : public OpsTest {};

TEST_P(FloatFinish, AddsBiasAndResidualInPlaceOrNot) {
  Runtime& runtime = OpsTest::runtime();
  for (const DType type : {DType::kF32, DType::kF16}) {
    for (const int channels : {1, 6, 8}) {
      const Shape shape{2, 3, 3, channels};
      const std::vector<float> src = numbers(shape.elements(), type, true, 9, 1);
      const std::vector<float> add = numbers(shape.elements(), type, true, 9, 2);
      const std::vector<float> bias = numbers(channels, DType::kF32, true, 9, 3);
      const DeviceTensor device_add(runtime, type, shape, 3, add);  // not aligned: element by element
      const DeviceTensor device_bias(runtime, DType::kF32, {1, 1, 1, channels}, 0, bias);
      for (const bool in_place : {false, true}) {
        const DeviceTensor device_src(runtime, type, shape, 4, src), other(runtime, type, shape, 0);
        const DeviceTensor& dst = in_place ? device_src : other;
        const auto* bias_data = static_cast<const float*>(device_bias.view().data);
        ops_of(runtime).finish_float(device_src.view(), bias_data, device_add.view(), Activation::kRelu6, dst.view(),
                                     {});
        bool damaged = false;
        std::vector<float> actual = dst.read(&damaged);
        EXPECT_FALSE(damaged);
        for (std::size_t i = 0; i < actual.size(); ++i) {
          const float sum = src[i] + bias[i % static_cast<std::size_t>(channels)] + add[i];
          ASSERT_EQ(actual[i], std::clamp(sum, 0.0f, 6.0f)) << i;
        }
        ops_of(runtime).finish_float(dst.view(), nullptr, {}, Activation::kNone, dst.view(), {});
        EXPECT_EQ(dst.read(&damaged), actual);
      }
    }
  }
}

TEST_P(FloatFinish, OfIntegersGivesTheReferencesBits) {
  Runtime& runtime = OpsTest::runtime();
  const ConvDesc desc = parse_conv_desc("n2h3w3c4_k5r1s1_st1_pad0,0,0,0");
  const Shape out{2, 3, 3, 5};
  reference::QuantTensor src(DType::kS8, {2, 3, 3, 4}), residual(DType::kU8, out);
  Random random(4);
  for (std::int64_t i = 0; i < src.shape.elements(); ++i) src.set(i, random.integer(-127, 127));
  for (std::int64_t i = 0; i < out.elements(); ++i) residual.set(i, random.integer(0, 255));
  std::vector<std::int8_t> weights;
  for (int i = 0; i < 20; ++i) weights.push_back(static_cast<std::int8_t>(random.integer(-127, 127)));
  const std::vector<float> m{0.004f, 0.002f, 0.01f, 0.005f, 0.003f}, b{3, -7, 100, 0, 20};
  const reference::ConvParams params{.desc = desc,
                                     .weights = weights,
                                     .m = m,
                                     .b = b,
                                     .lo = 0,
                                     .hi = 250,
                                     .residual = &residual,
                                     .residual_scale = 0.3f};
  const std::vector<std::int32_t> sums = reference::conv_accumulators(src, params);
  const std::vector<std::uint8_t> want = reference::conv(src, params, DType::kU8).bytes;

  const auto to_device = [&](const auto& values) {
    DeviceBuffer buffer(runtime, values.size() * sizeof(values[0]));
    runtime.copy_to_device(buffer.data(), values.data(), buffer.size(), {});
    return buffer;
  };
  const DeviceBuffer dm = to_device(m), db = to_device(b), dr = to_device(residual.bytes);
  const DeviceBuffer integers = to_device(sums);
  const DeviceBuffer floats = to_device(std::vector<float>(sums.begin(), sums.end()));
  const ConvProblem problem{.desc = desc,
                            .src = DType::kS8,
                            .dst = DType::kU8,
                            .residual = DType::kU8,
                            .src_pitch = 4,
                            .dst_pitch = 5,
                            .residual_pitch = 5};
  for (const DType type : {DType::kS32, DType::kF32}) {
    const DeviceBuffer dst(runtime, want.size());
    const ConvArgs args{.n = 2,
                        .dst = dst.data(),
                        .residual = dr.data(),
                        .m = static_cast<const float*>(dm.data()),
                        .b = static_cast<const float*>(db.data()),
                        .lo = 0,
                        .hi = 250,
                        .residual_scale = 0.3f};
    ops_of(runtime).finish_integer(problem, args, (type == DType::kS32 ? integers : floats).data(), type, {});
    std::vector<std::uint8_t> actual(want.size());
    runtime.copy_to_host(actual.data(), dst.data(), actual.size(), {});
    runtime.synchronize(Stream{});
    EXPECT_EQ(actual, want) << to_string(type);
  }
}

TEST_P(FloatFinish, OwnConvolutionAgreesWithTheReferenceForEveryImageCount) {
  Runtime& runtime = OpsTest::runtime();
  for (const DType type : {DType::kF32, DType::kF16}) {
    const FloatMath math = type == DType::kF16 ? FloatMath::kHalf : FloatMath::kStrict;
    for (const FloatConvCase& c : kFloatConvCases) {
      for (const bool integers : {true, false}) {
        const FloatConvData data(c, type, integers);
        const auto conv = make_own_float_conv(runtime, data.params(math), {});
        for (const int n : {data.desc.n, 1}) EXPECT_EQ(data.check(runtime, *conv, math, n), "") << c.desc;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Device, FloatFinish, testing::Values("emu", "gpu"), op_device);

}  // namespace
}  // namespace gpueval::cuda
