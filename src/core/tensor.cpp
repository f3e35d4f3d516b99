// SPDX-License-Identifier: Apache-2.0
#include "gpueval/tensor.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <numeric>

#include "gpueval/error.h"

namespace gpueval {

std::size_t size_of(DType type) {
  if (type == DType::kF16) return 2;
  return type == DType::kF32 || type == DType::kS32 ? 4 : 1;
}

std::string to_string(DType type) {
  switch (type) {
    case DType::kF32:
      return "f32";
    case DType::kS8:
      return "s8";
    case DType::kU8:
      return "u8";
    case DType::kF16:
      return "f16";
    case DType::kS32:
      return "s32";
  }
  return "?";
}

std::string to_string(const Shape& shape) { return fmt::format("{}x{}x{}x{}", shape.n, shape.h, shape.w, shape.c); }

std::int64_t Array::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::string shape_string(std::span<const std::int64_t> shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

AlignedBuffer::AlignedBuffer(std::size_t bytes) : size_((bytes + 63) / 64 * 64) {
  if (size_ == 0) return;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(64, size_)));
  if (!data_) fail("out of memory: {} bytes were asked for", size_);
  std::memset(data_.get(), 0, size_);
}

void AlignedBuffer::Free::operator()(std::byte* p) const { std::free(p); }

}  // namespace gpueval
