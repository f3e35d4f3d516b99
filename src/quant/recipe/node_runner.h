// SPDX-License-Identifier: Apache-2.0
// Runs one node of a lowered graph by itself with the CPU backend's own kernels, on tensors of many images: what the
// recipe sees is bit for bit what the engine computes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
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

class NodeRunner {
 public:
  // The node reads the tensors of graph's nodes node.inputs; it may differ from the graph's own node.
  NodeRunner(const Graph& graph, Node node, int batch);
  ~NodeRunner();
  // The node's tensor for images [first, first + n) of its sources, valid until the next call. n <= batch.
  TensorView run(std::span<const ImageTensor* const> sources, int first, int n);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gpueval
