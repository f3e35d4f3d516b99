// SPDX-License-Identifier: Apache-2.0
// The forward pass as work on streams: steps in order on one stream, or branches on parallel ones, as a captured graph.
#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "cuda/engine/chunks.h"
#include "cuda/engine/lanes.h"
#include "cuda/engine/step.h"
#include "cuda/runtime/handles.h"

namespace gpueval::cuda {

// The events around a pass that is timed.
struct PassClock {
  Event begin, end;
};

class ForwardPass {
 public:
  // steps[i] runs node i + 1. `before` and `after` (may be empty) go around the steps, on the pass's stream.
  // overlaps: in a captured graph the kernels of a step may begin before those of the step in front have ended, where
  // both are our own (EngineOptions::overlap_launches).
  // chunks: of one lane alone.
  ForwardPass(Runtime& runtime, LanePlan lanes, std::vector<std::unique_ptr<Step>> steps, Stream main, bool overlaps,
              const Chunks& chunks);

  // Steps in order on the main stream; `between` is called before the first one and behind each (may be empty; in
  // chunks behind each of them).
  void run_in_order(const DeviceTensors& tensors, const Batch& batch,
                    const std::function<void(int done)>& between = {});
  // The same work, branches in parallel, captured when it is first asked for with such a batch, and replayed. With a
  // clock (always the same one) the events are part of the graph: the host's launch is no part of the time. The bytes
  // of a slot always lie in the same place.
  void run_as_graph(const DeviceTensors& tensors, const Batch& batch, const PassClock* clock = nullptr);
  // Both with `last` behind it, which a graph keeps as it is when it is captured.
  void run_in_order_to_last(const DeviceTensors& tensors, const Batch& batch);
  void run_as_graph_to_last(const DeviceTensors& tensors, const Batch& batch, const PassClock* clock = nullptr);
  // What the two above run from now on. No pass may be under way.
  void set_last(Enqueue last);

  const std::vector<std::unique_ptr<Step>>& steps() const { return steps_; }
  Enqueue before, after;

 private:
  void run_in_lanes(const DeviceTensors& tensors, const Batch& batch);
  using GraphKey = std::tuple<int, int, bool, bool>;  // n, slot, whether of bytes, whether timed
  void launch(std::map<GraphKey, GraphHandle>& graphs, const Enqueue& last, const DeviceTensors& tensors,
              const Batch& batch, const PassClock* clock);
  GraphHandle capture(const Enqueue& last, const DeviceTensors& tensors, const Batch& batch, const PassClock* clock);
  // Of the whole batch, on the main stream.
  Pass whole(const DeviceTensors& tensors, const Batch& batch) const { return {batch, tensors, 0, main_}; }
  // Calls enqueue(step, pass) with the step's images and lane: the chunks' steps once a chunk, then the others.
  template <typename EnqueueStep>
  void for_each_step(Pass pass, const EnqueueStep& enqueue) const;
  Stream stream(int lane) const;

  Runtime& runtime_;
  LanePlan lanes_;
  std::vector<std::unique_ptr<Step>> steps_;
  Stream main_;
  bool overlaps_;
  Chunks chunks_;
  std::vector<StreamHandle> side_;
  std::vector<EventHandle> events_;  // per node; empty handles where nobody waits
  Enqueue last_;
  std::map<GraphKey, GraphHandle> graphs_, graphs_to_last_;
};

}  // namespace gpueval::cuda
