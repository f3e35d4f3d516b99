// SPDX-License-Identifier: Apache-2.0
// Static memory plan: one arena for all activations of a batch, tensors that are never alive together share bytes.
// Greedy by size (largest first, lowest offset that is free for the tensor's whole life): Pisarchyk and Lee,
// "Efficient Memory Management for Deep Neural Net Inference", arXiv 2001.03288.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval {

struct TensorPlacement {
  std::int64_t offset = -1;           // bytes from the arena's start; -1: not in the arena (the graph's input)
  std::int64_t pitch = 0;             // elements from pixel to pixel (more than c in a slice of a concat)
  int root = -1;                      // the node that owns the bytes: itself, or the outermost concat
  int first_step = 0, last_step = 0;  // life of the root's bytes, in node indices, both ends included
  bool of_chunk = false;              // has room for the images of a chunk, not of the batch
};

struct MemoryPlan {
  std::vector<TensorPlacement> tensors;  // per node
  std::int64_t arena_bytes = 0;
};

// kDense: pitch = channels. kDevice: what the CUDA kernels read in 16-byte steps: integer tensors of up to 4 channels
// have a pitch of 4, wider ones of a multiple of 16; float tensors are dense.
enum class PitchRule { kDense, kDevice };
// before(a, b), a strict partial order: step a is certain to be over when step b begins. Tensors share bytes only if
// all steps that touch the one are before all that touch the other. Empty: steps run one by one, in the graph's order.
using StepsBefore = std::function<bool(int a, int b)>;

// Steps 1 to `last` run for `images` of a batch at a time, as often as it takes, before those behind them run for all.
// What those do not read needs room for so many images alone.
struct Chunks {
  int last = 0;  // 0: none
  int images = 0;
  bool holds(int step) const { return step <= last; }
};
// A tensor, by its node, that a step writes beside its own.
struct ExtraWrite {
  int step, tensor;
};
MemoryPlan plan_memory(const Graph& graph, int batch, PitchRule pitch = PitchRule::kDense,
                       const StepsBefore& before = {}, const Chunks& chunks = {},
                       std::span<const ExtraWrite> extra = {});

}  // namespace gpueval
