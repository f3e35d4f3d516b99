// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "gpueval/tensor.h"

namespace gpueval::cpu {

// A fixed number of zeros at a 64-byte boundary: a vector register's worth never straddles two cache lines.
template <typename T>
class AlignedArray {
 public:
  AlignedArray() = default;
  explicit AlignedArray(std::size_t size) : buffer_(size * sizeof(T)), size_(size) {}
  T* data() const { return buffer_.as<T>(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data()[i]; }

 private:
  AlignedBuffer buffer_;
  std::size_t size_ = 0;
};

}  // namespace gpueval::cpu
