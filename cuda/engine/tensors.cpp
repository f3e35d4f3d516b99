// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/tensors.h"

#include <utility>

namespace gpueval::cuda {

DeviceTensors::DeviceTensors(Runtime& runtime, const Graph& graph, int batch, MemoryPlan plan,
                             const std::vector<ScratchNeeds>& scratch, Stream stream)
    : graph_(graph), plan_(std::move(plan)), arena_(runtime, static_cast<std::size_t>(plan_.arena_bytes)) {
  const Node& input = graph.input_node();
  const auto elements = static_cast<std::size_t>(input.shape.elements() * batch);
  for (int slot = 0; slot < kSlots; ++slot) inputs_.emplace_back(runtime, elements * size_of(input.type.dtype));
  for (const ScratchNeeds& lane : scratch) {
    scratch_.emplace_back(runtime, lane.bytes);
    workspaces_.emplace_back(runtime, lane.workspace);
    if (lane.workspace > 0) runtime.fill(workspaces_.back().data(), 0, lane.workspace, stream);
  }
}

DeviceView DeviceTensors::view(int node, int n, int slot, int first) const {
  const Node& self = graph_.node(node);
  const TensorPlacement& place = plan_.tensors[static_cast<std::size_t>(node)];
  DeviceView view{.data = place.offset < 0 ? input(slot) : static_cast<std::byte*>(arena_.data()) + place.offset,
                  .dtype = self.type.dtype,
                  .shape = self.shape,
                  .pitch = place.pitch,
                  .zero_point = self.type.zero_point};
  view.shape.n = n;
  if (first > 0 && !place.of_chunk) {
    const std::int64_t image = self.shape.pixels() * place.pitch * static_cast<std::int64_t>(size_of(view.dtype));
    view.data = static_cast<std::byte*>(view.data) + first * image;
  }
  return view;
}

}  // namespace gpueval::cuda
