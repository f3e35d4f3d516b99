// SPDX-License-Identifier: Apache-2.0
// Where every node's tensor lies on the device, and the scratch memory that steps share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "cuda/ops/ops.h"
#include "cuda/runtime/runtime.h"
#include "gpueval/graph.h"
#include "graph/memory_plan.h"

namespace gpueval::cuda {

constexpr std::size_t kDeviceAlignment = 256;
constexpr std::size_t aligned(std::size_t bytes) {
  return (bytes + kDeviceAlignment - 1) / kDeviceAlignment * kDeviceAlignment;
}

// What the steps of one lane need beside tensors. They run one after the other, so they share it.
struct ScratchNeeds {
  std::size_t bytes = 0;      // of any content
  std::size_t workspace = 0;  // zero between steps: ConvKernel::workspace
  void need(std::size_t wanted) { bytes = std::max(bytes, wanted); }
  void need_workspace(std::size_t wanted) { workspace = std::max(workspace, wanted); }
};

// The graph's input has kSlots buffers: the next batch arrives in one while the other is being read.
constexpr int kSlots = 2;

class DeviceTensors {
 public:
  // graph outlives it. Scratch: one entry a lane.
  DeviceTensors(Runtime& runtime, const Graph& graph, int batch, MemoryPlan plan,
                const std::vector<ScratchNeeds>& scratch, Stream stream);
  // Of n images from `first` on; those of a chunk lie where those of every other one do.
  DeviceView view(int node, int n, int slot, int first = 0) const;
  void* input(int slot) const { return inputs_[static_cast<std::size_t>(slot)].data(); }
  void* scratch(int lane) const { return scratch_[static_cast<std::size_t>(lane)].data(); }
  void* workspace(int lane) const { return workspaces_[static_cast<std::size_t>(lane)].data(); }
  std::size_t arena_bytes() const { return arena_.size(); }

 private:
  const Graph& graph_;
  MemoryPlan plan_;
  DeviceBuffer arena_;
  std::vector<DeviceBuffer> inputs_, scratch_, workspaces_;
};

}  // namespace gpueval::cuda
