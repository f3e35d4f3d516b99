// SPDX-License-Identifier: Apache-2.0
// Tensors on a device for checks of cuda/ops/: they may be slices of wider ones, in memory that ends with their last
// channel, surrounded by guard bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "cuda/conv/pack.h"
#include "cuda/ops/ops.h"
#include "cuda/runtime/runtime.h"
#include "gpueval/error.h"
#include "reference/reference.h"

namespace gpueval::cuda {

// Where a tensor's channels lie in its memory, in elements.
struct Placement {
  int offset = 0, pitch = 0;
};
// Dense; 16-byte steps; an aligned slice of something wider; a slice that begins and ends anywhere.
inline std::vector<Placement> placements(int channels) {
  const int padded = round_up(channels, 16);
  return {{0, channels}, {0, padded}, {16, padded + 32}, {3, channels + 7}};
}

class OpTensor {
 public:
  // dense: the elements' bytes without gaps; empty: guard bytes, to be written.
  OpTensor(Runtime& runtime, DType type, const Shape& shape, const Placement& place,
           std::span<const std::uint8_t> dense = {})
      : runtime_(&runtime), type_(type), shape_(shape), place_(place) {
    const std::int64_t elements = (shape.pixels() - 1) * place.pitch + place.offset + shape.c;
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(elements) * size_of(type), kGuard);
    for (std::size_t i = 0; i < dense.size(); ++i) bytes[position(i)] = dense[i];
    buffer_ = DeviceBuffer(runtime, bytes.size());
    runtime.copy_to_device(buffer_.data(), bytes.data(), bytes.size(), {});
    runtime.synchronize(Stream{});
  }
  OpTensor(Runtime& runtime, const reference::QuantTensor& tensor, const Placement& place)
      : OpTensor(runtime, tensor.dtype, tensor.shape, place, tensor.bytes) {
    zero_point_ = tensor.zero_point;
  }

  DeviceView view() const {
    auto* data = static_cast<std::uint8_t*>(buffer_.data()) + static_cast<std::size_t>(place_.offset) * size_of(type_);
    return {.data = data, .dtype = type_, .shape = shape_, .pitch = place_.pitch, .zero_point = zero_point_};
  }

  // The elements' bytes. Error if a byte around them changed.
  std::vector<std::uint8_t> read() const {
    std::vector<std::uint8_t> bytes(buffer_.size());
    runtime_->copy_to_host(bytes.data(), buffer_.data(), bytes.size(), {});
    runtime_->synchronize(Stream{});
    std::vector<std::uint8_t> dense(static_cast<std::size_t>(shape_.elements()) * size_of(type_));
    for (std::size_t i = 0; i < dense.size(); ++i) {
      dense[i] = bytes[position(i)];
      bytes[position(i)] = kGuard;
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] != kGuard) fail("byte {} outside the channels of {} was written", i, to_string(shape_));
    }
    return dense;
  }

 private:
  static constexpr std::uint8_t kGuard = 0xA5;
  // Where byte i of the dense tensor lies.
  std::size_t position(std::size_t i) const {
    const std::size_t row = static_cast<std::size_t>(shape_.c) * size_of(type_);
    return (i / row * static_cast<std::size_t>(place_.pitch) + static_cast<std::size_t>(place_.offset)) *
               size_of(type_) +
           i % row;
  }

  Runtime* runtime_;
  DType type_;
  Shape shape_;
  Placement place_;
  int zero_point_ = 0;
  DeviceBuffer buffer_;
};

template <typename T>
DeviceBuffer upload_all(Runtime& runtime, const std::vector<T>& values) {
  DeviceBuffer buffer(runtime, values.size() * sizeof(T));
  runtime.copy_to_device(buffer.data(), values.data(), buffer.size(), {});
  runtime.synchronize(Stream{});
  return buffer;
}

template <typename T>
std::vector<T> download_all(Runtime& runtime, const DeviceBuffer& buffer) {
  std::vector<T> values(buffer.size() / sizeof(T));
  runtime.copy_to_host(values.data(), buffer.data(), buffer.size(), {});
  runtime.synchronize(Stream{});
  return values;
}

inline std::vector<std::uint8_t> bytes_of(std::span<const float> values) {
  std::vector<std::uint8_t> bytes(values.size_bytes());
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}
inline std::vector<float> floats_of(std::span<const std::uint8_t> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace gpueval::cuda
