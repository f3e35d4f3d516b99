// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "gpueval/engine.h"
#include "gpueval/graph.h"

namespace gpueval {

// One node's tensor of every calibration image, dense.
struct ImageTensor {
  DType dtype = DType::kF32;
  Shape shape;  // n = images
  std::vector<std::byte> bytes;

  ImageTensor() = default;
  ImageTensor(DType type, const Shape& image, int images);
  std::size_t image_bytes() const;
  TensorView view(int first, int n) const;  // of images [first, first + n)
  void store(int first, const TensorView& from);
};

}  // namespace gpueval
