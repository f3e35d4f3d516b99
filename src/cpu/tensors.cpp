// SPDX-License-Identifier: Apache-2.0
#include "cpu/step.h"

namespace gpueval::cpu {

Tensors::Tensors(const Graph& graph, int batch, int lane)
    : graph_(graph),
      lane_(lane),
      plan_(plan_memory(graph, batch)),
      arena_(static_cast<std::size_t>(plan_.arena_bytes)) {
  for (const TensorPlacement& tensor : plan_.tensors) {
    data_.push_back(tensor.offset < 0 ? nullptr : arena_.data() + tensor.offset);
  }
}

void Tensors::set_input(const float* input) {
  // Steps only read it; the table holds writable pointers because all other tensors are written.
  data_[0] = reinterpret_cast<std::byte*>(const_cast<float*>(input));
}

TensorView Tensors::view(int node, int n) const {
  const Node& self = graph_.node(node);
  TensorView view{.data = data(node), .dtype = self.type.dtype, .shape = self.shape, .pitch = pitch(node)};
  view.shape.n = n;
  return view;
}

QuantView Tensors::quant_view(int node, int n) const {
  const TensorView tensor = view(node, n);
  return {.data = data(node),
          .dtype = tensor.dtype,
          .shape = tensor.shape,
          .pitch = tensor.pitch,
          .zero_point = graph_.node(node).type.zero_point};
}

}  // namespace gpueval::cpu
