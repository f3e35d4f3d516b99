// SPDX-License-Identifier: Apache-2.0
// One executed step of the CPU engine, and the tensors it finds its data in.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cpu/int8/int8_ops.h"
#include "gpueval/engine.h"
#include "gpueval/graph.h"
#include "graph/memory_plan.h"

namespace gpueval::cpu {

// Where every node's tensor lies. Fixed for the engine's life, but for the graph's input, which run() points at its
// caller's.
class Tensors {
 public:
  Tensors(const Graph& graph, int batch, int lane = -1);
  // The node's tensor for n images.
  TensorView view(int node, int n) const;
  QuantView quant_view(int node, int n) const;
  std::byte* data(int node) const { return data_[static_cast<std::size_t>(node)]; }
  std::int64_t pitch(int node) const { return plan_.tensors[static_cast<std::size_t>(node)].pitch; }
  void set_input(const float* input);
  std::size_t arena_bytes() const { return arena_.size(); }
  int lane() const { return lane_; }  // whose tensors these are (lanes.h); -1: the whole batch's

 private:
  const Graph& graph_;
  int lane_;
  MemoryPlan plan_;
  AlignedBuffer arena_;
  std::vector<std::byte*> data_;
};

class Step {
 public:
  virtual ~Step() = default;
  virtual void run(const Tensors& tensors, int n) = 0;
  virtual std::string kernel() const = 0;                     // as --per-layer shows it
  virtual bool runs_in_lanes() const { return false; }        // several threads may run it at once (lanes.h)
  virtual bool takes_whole_batches() const { return false; }  // outside of lanes, whatever n is
};

// What every factory below needs to know.
struct StepContext {
  const Graph& graph;
  int node;
  int batch;
  const std::string& forced_kernel;
  int lanes = 0;  // that will run the step, if it can
  const Node& self() const { return graph.node(node); }
  const Node& input(std::size_t i) const { return graph.node(self().inputs[i]); }
  const IntegerOp& form() const;  // Error if it has none
};

// A step that needs no preparation but its node, and may run in lanes.
using RunStep = std::function<void(const Tensors&, int n)>;
std::unique_ptr<Step> simple_step(std::string kernel, RunStep run);
std::string int8_name(const char* op);  // with the instruction set of its loops: "add_avx2"

// Of each operation in each form that it has (ops/).
#define GPUEVAL_OP(TYPE, ...)                                                        \
  std::unique_ptr<Step> make_float_step(const TYPE& op, const StepContext& context); \
  std::unique_ptr<Step> make_int8_step(const TYPE& op, const StepContext& context);
#include "gpueval/ops.inc"
std::unique_ptr<Step> make_step(const StepContext& context);  // any node but Input; throws where no kernel supports it

}  // namespace gpueval::cpu
