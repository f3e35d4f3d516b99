// SPDX-License-Identifier: Apache-2.0
// Shapes, element types and buffers. Activations are NHWC everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gpueval {

enum class DType { kF32, kS8, kU8, kS32, kF16 };
std::size_t size_of(DType type);    // bytes per element
std::string to_string(DType type);  // "f32", "s8", "u8", "s32", "f16"

// NHWC extents. In a Graph n is 1: the batch is chosen when an engine is made.
struct Shape {
  int n = 1, h = 1, w = 1, c = 1;
  std::int64_t elements() const { return std::int64_t{n} * h * w * c; }
  std::int64_t pixels() const { return std::int64_t{n} * h * w; }
  bool operator==(const Shape&) const = default;
};
std::string to_string(const Shape& shape);  // "1x56x56x64"

// A dense float32 array of any rank, row-major, as read from a weight file. Data is shared, never modified.
struct Array {
  std::vector<std::int64_t> shape;
  std::shared_ptr<const std::vector<float>> data;
  std::int64_t elements() const;
};
std::string shape_string(std::span<const std::int64_t> shape);  // "(3, 3, 64, 128)"

// Owned bytes, 64-byte aligned, size rounded up to 64, zeroed.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes);
  std::byte* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(data_.get());
  }

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace gpueval
