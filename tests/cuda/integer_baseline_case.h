// SPDX-License-Identifier: Apache-2.0
// Integer convolutions of cuDNN and cuBLASLt (cuda/library/baselines.h), with our epilogue, next to the reference.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cuda/library/baselines.h"
#include "cuda/runtime/handles.h"
#include "cuda/selftest/conv_case.h"
#include "reference/random_conv.h"

namespace gpueval::cuda {

inline constexpr const char* kIntegerBaselineShapes[] = {
    "n2h7w9c32_k64r1s1_st1_pad0,0,0,0", "n3h1w1c128_k64r1s1_st1_pad0,0,0,0", "n2h9w9c32_k32r3s3_st1_pad1,1,1,1",
    "n1h8w8c16_k8r3s3_st2_pad0,1,0,1"};

inline ConvProblem baseline_problem(const ConvDesc& desc, DType dst, std::optional<DType> residual) {
  return {.desc = desc,
          .src = DType::kS8,
          .dst = dst,
          .residual = residual,
          .src_pitch = desc.c,
          .dst_pitch = desc.k,
          .residual_pitch = residual ? desc.k : 0};
}

// Why the library has no kernel for the shape, empty if it has one.
inline std::string integer_baseline_why(Runtime& runtime, const IntegerBaseline& baseline, const char* shape) {
  const ConvDesc desc = parse_conv_desc(shape);
  const std::vector<std::int8_t> weights(static_cast<std::size_t>(desc.k * desc.depth()));
  const StreamHandle stream = make_stream(runtime);
  std::string why;
  const auto conv =
      baseline.make(runtime, baseline_problem(desc, DType::kS8, std::nullopt), weights, stream.get(), &why);
  return conv ? "" : why.empty() ? "no reason" : why;
}

// Empty, also where the library has no kernel; else what is wrong. All types of destination and residual.
inline std::string check_integer_baseline(Runtime& runtime, const IntegerBaseline& baseline, const char* shape) {
  const StreamHandle stream = make_stream(runtime);
  Random random(9);
  for (const DType dst : {DType::kS8, DType::kU8, DType::kF32}) {
    for (const std::optional<DType> residual :
         {std::optional<DType>(), std::optional(DType::kS8), std::optional(DType::kU8)}) {
      const RandomConv c(parse_conv_desc(shape), DType::kS8, dst, residual, 1, random);
      std::string why;
      const auto conv = baseline.make(runtime, baseline_problem(c.desc, dst, residual), c.weights, stream.get(), &why);
      if (!conv) return why.empty() ? "no kernel and no reason" : "";
      std::vector<std::uint8_t> want;
      for (int i = 0; i < c.desc.n; ++i) {
        const std::vector<std::uint8_t> image = c.expected_image(i, std::nullopt);
        want.insert(want.end(), image.begin(), image.end());
      }
      const auto to_device = [&](const auto& values) { return ConvCase::upload(runtime, values); };
      const DeviceBuffer src = to_device(c.src.bytes), m = to_device(c.m), b = to_device(c.b);
      const DeviceBuffer r = to_device(c.residual.bytes), out(runtime, want.size());
      runtime.synchronize(Stream{});  // the copies', before another stream reads them
      conv->run({.n = c.desc.n,
                 .src = src.data(),
                 .dst = out.data(),
                 .residual = residual ? r.data() : nullptr,
                 .m = static_cast<const float*>(m.data()),
                 .b = static_cast<const float*>(b.data()),
                 .lo = c.lo,
                 .hi = c.hi,
                 .residual_scale = RandomConv::kResidualScale},
                stream.get());
      runtime.synchronize(stream.get());
      const std::string wrong = c.compare(ConvCase::download(runtime, out), want);
      if (!wrong.empty()) return conv->name() + " to " + to_string(dst) + ": " + wrong;
    }
  }
  return "";
}

}  // namespace gpueval::cuda
