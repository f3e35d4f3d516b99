// SPDX-License-Identifier: Apache-2.0
// What the library convolutions share: weights in other layouts and types on the device, and tensors to time
// their plans on.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cuda/engine/float_conv.h"
#include "cuda/ops/ops.h"
#include "cuda/prim/half.h"
#include "cuda/runtime/handles.h"
#include "cuda/runtime/runtime.h"
#include "cuda/select/graph_time.h"

namespace gpueval::cuda {

inline std::vector<std::byte> to_elements(std::span<const float> values, DType type) {
  std::vector<std::byte> bytes(values.size() * size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (type == DType::kF16) {
      const emu::Half half = emu::to_half(values[i]);
      std::memcpy(&bytes[i * sizeof(half)], &half, sizeof(half));
    } else {
      std::memcpy(&bytes[i * sizeof(float)], &values[i], sizeof(float));
    }
  }
  return bytes;
}

// Waits for the copy.
inline DeviceBuffer upload(Runtime& runtime, std::span<const std::byte> bytes, Stream stream) {
  DeviceBuffer buffer(runtime, bytes.size());
  runtime.copy_to_device(buffer.data(), bytes.data(), bytes.size(), stream);
  runtime.synchronize(stream);
  return buffer;
}

// rows x columns -> columns x rows: [R][S][C][K] -> [K][R][S][C] with rows = R * S * C.
inline std::vector<float> transposed(std::span<const float> values, std::int64_t rows, std::int64_t columns) {
  std::vector<float> result(values.size());
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      result[static_cast<std::size_t>(c * rows + r)] = values[static_cast<std::size_t>(r * columns + c)];
    }
  }
  return result;
}

// Device memory for timing; small numbers in every element type.
inline DeviceBuffer timing_buffer(Runtime& runtime, std::int64_t elements, DType type, Stream stream) {
  DeviceBuffer buffer(runtime, static_cast<std::size_t>(elements) * size_of(type));
  constexpr int kSmall = 0x2c;  // 0x2c2c: 0.065 in float16
  runtime.fill(buffer.data(), kSmall, buffer.size(), stream);
  return buffer;
}

// Operands of a float convolution to time it on. The stream is waited for before they go.
struct TimingTensors {
  TimingTensors(Runtime& runtime_in_use, const FloatConvParams& params, Stream stream_in_use)
      : runtime(runtime_in_use), stream(stream_in_use) {
    const ConvDesc& d = params.desc;
    const Shape in{d.n, d.h, d.w, d.c}, out{d.n, d.p(), d.q(), d.k};
    const auto make = [&](DeviceBuffer& buffer, const Shape& shape) {
      buffer = timing_buffer(runtime, shape.elements(), params.type, stream);
      return DeviceView{buffer.data(), params.type, shape, shape.c};
    };
    src = make(src_buffer, in);
    dst = make(dst_buffer, out);
    if (params.residual) residual = make(residual_buffer, out);
  }
  ~TimingTensors() {
    try {
      runtime.synchronize(stream);
    } catch (const std::exception&) {  // the failure that led here is being reported
    }
  }
  TimingTensors(const TimingTensors&) = delete;
  TimingTensors& operator=(const TimingTensors&) = delete;

  Runtime& runtime;
  Stream stream;
  DeviceBuffer src_buffer, residual_buffer, dst_buffer;
  DeviceView src, residual, dst;
};

// What a plan's time depends on, in one line: "cudnn 9.19.0: n1h56w56c64_k64... f16 half relu +bias +residual".
inline std::string plan_problem(const std::string& library, const FloatConvParams& params) {
  const char* const math = params.math == FloatMath::kStrict ? "strict"
                           : params.math == FloatMath::kTf32 ? "tf32"
                                                             : "half";
  const char* const act = params.act == Activation::kNone ? "" : params.act == Activation::kRelu ? " relu" : " relu6";
  return fmt::format("{}: {} {} {}{}{}{}", library, to_string(params.desc), to_string(params.type), math, act,
                     params.bias.empty() ? "" : " +bias", params.residual ? " +residual" : "");
}

}  // namespace gpueval::cuda
