// SPDX-License-Identifier: Apache-2.0
// Float operations on a device next to the reference: tensors with gaps between their pixels, small or random numbers,
// and how far a result may be from the reference.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "cuda/ops/ops.h"
#include "cuda/prim/half.h"
#include "cuda/runtime/runtime.h"
#include "reference/float_ops.h"

namespace gpueval::cuda {

inline float round_to(DType type, float v) { return type == DType::kF16 ? emu::to_float(emu::to_half(v)) : v; }

// Dense numbers, exact in `type`: integers from -range to range, or random ones.
inline std::vector<float> numbers(std::int64_t count, DType type, bool integers, int range, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = integers ? random.integer(-range, range) : random.normal();
    values.push_back(round_to(type, static_cast<float>(value)));
  }
  return values;
}

inline std::vector<std::byte> to_bytes(const std::vector<float>& values, DType type) {
  std::vector<std::byte> bytes(values.size() * size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const emu::Half half = emu::to_half(values[i]);
    if (type == DType::kF16) std::memcpy(&bytes[i * 2], &half, 2);
    if (type == DType::kF32) std::memcpy(&bytes[i * 4], &values[i], 4);
  }
  return bytes;
}

inline float element(const std::vector<std::byte>& bytes, std::size_t index, DType type) {
  if (type == DType::kF16) {
    emu::Half half = {};
    std::memcpy(&half, &bytes[index * 2], 2);
    return emu::to_float(half);
  }
  float value = 0;
  std::memcpy(&value, &bytes[index * 4], 4);
  return value;
}

// A tensor on the device. Bytes between channels and pitch, and behind the tensor, are a pattern that is NaN as float32
// and float16: it shows in sums, and where it is overwritten.
class DeviceTensor {
 public:
  DeviceTensor(Runtime& runtime, DType type, const Shape& shape, int gap, const std::vector<float>& values = {})
      : runtime_(&runtime), type_(type), shape_(shape), pitch_(shape.c + gap) {
    const std::vector<std::byte> dense = to_bytes(values, type);
    std::vector<std::byte> bytes(static_cast<std::size_t>(shape.pixels() * pitch_ + kMargin) * size_of(type), kGuard);
    for (std::size_t pixel = 0; pixel < dense.size() / row_bytes(); ++pixel) {
      std::memcpy(&bytes[pixel * pitch_bytes()], &dense[pixel * row_bytes()], row_bytes());
    }
    buffer_ = DeviceBuffer(runtime, bytes.size());
    runtime.copy_to_device(buffer_.data(), bytes.data(), bytes.size(), {});
    runtime.synchronize(Stream{});
  }

  DeviceView view() const { return {buffer_.data(), type_, shape_, pitch_}; }

  // The dense elements; *damaged: a byte outside them changed.
  std::vector<float> read(bool* damaged) const {
    std::vector<std::byte> bytes(buffer_.size());
    runtime_->copy_to_host(bytes.data(), buffer_.data(), bytes.size(), {});
    runtime_->synchronize(Stream{});
    std::vector<float> values;
    *damaged = false;
    const std::size_t end = static_cast<std::size_t>(shape_.pixels()) * pitch_bytes();
    for (std::size_t i = 0; i < bytes.size(); i += size_of(type_)) {
      if (i < end && i % pitch_bytes() < row_bytes()) {
        values.push_back(element(bytes, i / size_of(type_), type_));
      } else if (bytes[i] != kGuard || bytes[i + 1] != kGuard) {
        *damaged = true;
      }
    }
    return values;
  }

 private:
  static constexpr std::byte kGuard{0xff};
  static constexpr std::int64_t kMargin = 32;
  std::size_t row_bytes() const { return static_cast<std::size_t>(shape_.c) * size_of(type_); }
  std::size_t pitch_bytes() const { return static_cast<std::size_t>(pitch_) * size_of(type_); }

  Runtime* runtime_;
  DType type_;
  Shape shape_;
  std::int64_t pitch_;
  DeviceBuffer buffer_;
};

// The reference's output of one node for n images, and the same of absolute values without activation.
struct Expected {
  std::vector<float> values, magnitude;
};

struct ReferenceNode {
  Op op;
  Shape src, dst;  // of one image
  std::vector<float> weights, bias;

  std::vector<float> run(const std::vector<float>& images, const std::vector<float>& residuals) const {
    Graph graph{.name = "one", .nodes = {{.name = "in", .op = Input{}, .shape = src}}, .outputs = {{"one", 1}}};
    graph.nodes.push_back({.name = "node", .op = op, .inputs = {0}, .shape = dst});
    const auto add = [&](Role role, const std::vector<float>& data) {
      const Array array{{std::ssize(data)}, std::make_shared<const std::vector<float>>(data)};
      if (!data.empty()) graph.nodes[1].params.push_back({role, array});
    };
    add(Role::kKernel, weights);
    add(Role::kBias, bias);
    std::vector<float> result;
    const auto step = src.elements(), out = dst.elements();
    for (std::int64_t i = 0; i * step < std::ssize(images); ++i) {
      const reference::FloatTensor image{src, {images.begin() + i * step, images.begin() + (i + 1) * step}};
      reference::FloatTensor residual{dst, {}};
      std::vector<const reference::FloatTensor*> inputs{&image};
      if (!residuals.empty()) {
        residual.values.assign(residuals.begin() + i * out, residuals.begin() + (i + 1) * out);
        inputs.push_back(&residual);
      }
      const std::vector<float> values = reference::float_node(graph, 1, inputs).values;
      result.insert(result.end(), values.begin(), values.end());
    }
    return result;
  }
};

inline std::vector<float> absolute(std::vector<float> values) {
  for (float& v : values) v = std::fabs(v);
  return values;
}

// Rounding errors of `terms` sums in float32, then of one rounding to `type`.
inline double tolerance(DType type, std::int64_t terms, double magnitude, double want) {
  const double sum = std::numeric_limits<float>::epsilon() * static_cast<double>(terms + 1) * magnitude;
  if (type == DType::kF32) return sum;
  return sum + (std::fabs(want) + sum) * 0x1p-11 + 0x1p-25;
}

// Empty, or the first element that is too far off. exact: small integers, only the last rounding is left.
inline std::string compare_floats(const std::vector<float>& actual, const Expected& want, DType type,
                                  std::int64_t terms, bool exact, int channels) {
  if (actual.size() != want.values.size()) return "sizes differ";
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double expected = exact ? round_to(type, want.values[i]) : want.values[i];
    const double allowed = exact ? 0 : tolerance(type, terms, want.magnitude[i], expected);
    const double difference = std::fabs(actual[i] - expected);
    if (difference <= allowed) continue;  // false for NaN
    const auto c = static_cast<std::size_t>(channels);
    return "pixel " + std::to_string(i / c) + " channel " + std::to_string(i % c) + ": " + std::to_string(actual[i]) +
           ", expected " + std::to_string(expected) + " +- " + std::to_string(allowed);
  }
  return "";
}

}  // namespace gpueval::cuda
