// SPDX-License-Identifier: Apache-2.0
// One step of the device engine: what puts a node's work on a stream.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/engine/input_bytes.h"
#include "cuda/engine/pooled_convs.h"
#include "cuda/engine/tensors.h"
#include "cuda/runtime/runtime.h"
#include "cuda/runtime/tables.h"
#include "cuda/select/selector.h"
#include "gpueval/engine.h"
#include "gpueval/graph.h"
#include "graph/memory_plan.h"

namespace gpueval::cuda {

// What a pass computes on: n images in a slot of the graph's input, or as bytes.
struct Batch {
  int n, slot;
  InputBytes bytes{};  // where it has pixels: the input, whose floats are not there
  bool apart = false;  // each step writes its own node's tensor: none does the next one's work
};

// One forward pass, as seen by a step: of the batch, or of n of its images.
struct Pass : Batch {
  const DeviceTensors& tensors;
  int lane;
  Stream stream;  // the lane's
  int first = 0;  // image of the batch that is the first of n
  DeviceView view(int node) const { return tensors.view(node, n, slot, first); }
};

class Step {
 public:
  virtual ~Step() = default;
  virtual void enqueue(const Pass& pass) = 0;      // allocates nothing and waits for nothing: a capture may record it
  virtual std::string kernel() const = 0;          // as --per-layer shows it
  virtual bool in_place() const { return false; }  // nothing to do, but where steps are apart
  virtual bool launches_own_kernels() const { return true; }  // and puts nothing else on the stream
};

// What the makers below know.
struct StepContext {
  Runtime& runtime;
  const Graph& graph;
  const MemoryPlan& plan;
  int node;
  int batch;
  FloatMath math;
  KernelSelector& selector;
  ScratchNeeds& scratch;  // of the node's lane
  PooledConvs& pooled;
  Stream stream;  // for uploads; the caller waits for it
  const Node& self() const { return graph.node(node); }
  const Node& input(std::size_t i) const { return graph.node(self().inputs[i]); }
  const IntegerOp& form() const;  // Error if it has none
  const TensorPlacement& placement(int index) const { return plan.tensors[static_cast<std::size_t>(index)]; }
};

// A step without preparation.
using Enqueue = std::function<void(const Pass&)>;
std::unique_ptr<Step> make_simple_step(std::string kernel, Enqueue enqueue, bool in_place = false);

// Of each operation in each form that it has (ops/).
#define GPUEVAL_OP(TYPE, ...)                                                        \
  std::unique_ptr<Step> make_float_step(const TYPE& op, const StepContext& context); \
  std::unique_ptr<Step> make_int8_step(const TYPE& op, const StepContext& context);
#include "gpueval/ops.inc"
std::unique_ptr<Step> make_step(const StepContext& context);  // any node but Input

// Device memory filled from the host; the copy is under way on the stream.
template <typename T>
DeviceBuffer upload(Runtime& runtime, std::span<const T> values, Stream stream) {
  DeviceBuffer buffer(runtime, values.size_bytes());
  runtime.copy_to_device(buffer.data(), values.data(), values.size_bytes(), stream);
  return buffer;
}

// Device memory that an Enqueue (copyable, as std::function asks) keeps alive.
using KeptBuffer = std::shared_ptr<const DeviceBuffer>;
KeptBuffer keep_on_device(const StepContext& context, std::span<const float> values);
template <typename T>
KeptBuffer keep_values_on_device(const StepContext& context, const std::vector<T>& values) {
  return std::make_shared<const DeviceBuffer>(upload(context.runtime, std::span<const T>(values), context.stream));
}
inline const float* floats(const KeptBuffer& buffer) { return static_cast<const float*>(buffer->data()); }

// A dense layer's source as one pixel of h * w * c channels. Only where pixels lie without gaps.
DeviceView flattened(const DeviceView& view);

}  // namespace gpueval::cuda
