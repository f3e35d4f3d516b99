// SPDX-License-Identifier: Apache-2.0
// Tests of cuda/ops/ on the emulator and on the GPU (skipped there, with the reason, where there is none): tensors that
// may be slices of wider ones, in memory that ends with their last channel, surrounded by guard bytes.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "cuda/conv/pack.h"
#include "cuda/runtime/runtime.h"
#include "emulator/emulator.h"
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
      : OpTensor(runtime, tensor.dtype, tensor.shape, place, tensor.bytes) {}

  DeviceView view() const {
    auto* data = static_cast<std::uint8_t*>(buffer_.data()) + static_cast<std::size_t>(place_.offset) * size_of(type_);
    return {.data = data, .dtype = type_, .shape = shape_, .pitch = place_.pitch};
  }

  // The elements' bytes; adds a failure if a byte around them changed.
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
      if (bytes[i] == kGuard) continue;
      ADD_FAILURE() << "byte " << i << " outside the channels of " << to_string(shape_) << " was written";
      break;
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

class OpsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string why;
    runtime_ = emulated() ? &emu_runtime() : gpu_runtime(&why);
    if (runtime_ == nullptr) GTEST_SKIP() << why;
  }
  void TearDown() override { emulator::set_options({}); }

  bool emulated() const { return std::strcmp(GetParam(), "emu") == 0; }
  Runtime& runtime() { return *runtime_; }
  // The operations, each time in another of the emulator's orders of execution (a GPU has its own).
  const Ops& ops() {
    using emulator::Schedule;
    constexpr Schedule kSchedules[] = {Schedule::kAscending, Schedule::kDescending, Schedule::kRandom};
    emulator::set_options({.schedule = kSchedules[order_ % 3], .seed = order_ + 1});
    ++order_;
    return runtime_->ops();
  }
  static constexpr int kOrders = 3;

  reference::QuantTensor random_tensor(DType type, const Shape& shape) {
    reference::QuantTensor tensor(type, shape);
    const int low = type == DType::kS8 ? -127 : 0, high = type == DType::kS8 ? 127 : 255;
    for (std::int64_t i = 0; i < shape.elements(); ++i) {
      const int kind = random_.integer(0, 7);  // extremes are frequent
      tensor.set(i, kind == 0 ? low : kind == 1 ? high : random_.integer(low, high));
    }
    return tensor;
  }
  Placement random_placement(int channels) {
    return placements(channels)[static_cast<std::size_t>(random_.integer(0, 3))];
  }
  // A destination for `want`, given to run(), then compared with it.
  template <typename Run>
  void expect_result(const reference::QuantTensor& want, const std::string& what, Run&& run) {
    const Placement place = random_placement(want.shape.c);
    const OpTensor dst(runtime(), want.dtype, want.shape, place);
    run(dst.view());
    const reference::QuantTensor got = [&] {
      reference::QuantTensor tensor(want.dtype, want.shape);
      tensor.bytes = dst.read();
      return tensor;
    }();
    for (std::int64_t i = 0; i < want.shape.elements(); ++i) {
      ASSERT_EQ(got.at(i), want.at(i)) << what << " pixel " << i / want.shape.c << " channel " << i % want.shape.c
                                       << " of " << to_string(want.shape) << " " << to_string(want.dtype) << ", offset "
                                       << place.offset << " pitch " << place.pitch;
    }
  }

  Random random_{11};

 private:
  Runtime* runtime_ = nullptr;
  std::uint64_t order_ = 0;
};

inline std::string op_device(const testing::TestParamInfo<const char*>& device) { return device.param; }

}  // namespace gpueval::cuda
