// SPDX-License-Identifier: Apache-2.0
// The float32 network and the quantized one, run side by side, one layer at a time, over all calibration images. A
// tensor is kept until its last reader has run.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "gpueval/quant.h"
#include "quant/recipe/image_tensor.h"

namespace gpueval {

using SharedTensor = std::shared_ptr<const ImageTensor>;

// One graph and those of its tensors that are alive.
class StoredNetwork {
 public:
  StoredNetwork(Graph lowered, const MakeNodeRunner& make_runner);
  Graph& graph() { return graph_; }
  const Graph& graph() const { return graph_; }
  Node& node(int index) { return graph_.node(index); }

  const ImageTensor& tensor(int index) const { return *tensors_[static_cast<std::size_t>(index)]; }
  // Stores the node's tensor; lets go of the sources that nothing else reads.
  void store(int index, SharedTensor tensor);

  // Runs the node (graph's own, or a changed copy of it) over all images in batches; visit(first, view).
  using Visit = std::function<void(int first, const TensorView& view)>;
  void run(int index, const Node& node, const Visit& visit) const;
  SharedTensor run(int index) const;

 private:
  Graph graph_;
  const MakeNodeRunner& make_runner_;
  std::vector<int> readers_left_;
  std::vector<SharedTensor> tensors_;
};

// The most bytes per image that are alive at once, both networks' tensors.
std::int64_t peak_bytes_per_image(const Graph& lowered_float, const Graph& lowered_static);

// Up to `most` images.
SharedTensor read_images(const CalibrationImages& images, const Shape& image, std::int64_t most);

}  // namespace gpueval
