// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/image_tensor.h"

#include <cstring>

#include "gpueval/error.h"

namespace gpueval {

ImageTensor::ImageTensor(DType type, const Shape& image, int images) : dtype(type), shape(image) {
  shape.n = images;
  bytes.resize(static_cast<std::size_t>(shape.elements()) * size_of(type));
}

std::size_t ImageTensor::image_bytes() const { return bytes.size() / static_cast<std::size_t>(shape.n); }

TensorView ImageTensor::view(int first, int n) const {
  Shape part = shape;
  part.n = n;
  return {bytes.data() + static_cast<std::size_t>(first) * image_bytes(), dtype, part, shape.c};
}

void ImageTensor::store(int first, const TensorView& from) {
  GPUEVAL_CHECK(from.pitch == shape.c && from.dtype == dtype, "pitch {} for {} channels", from.pitch, shape.c);
  std::memcpy(bytes.data() + static_cast<std::size_t>(first) * image_bytes(), from.data,
              static_cast<std::size_t>(from.shape.n) * image_bytes());
}

}  // namespace gpueval
