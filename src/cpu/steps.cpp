// SPDX-License-Identifier: Apache-2.0
// Which step runs a node: that of its operation (ops/), in the form that it takes.
#include <utility>

#include "cpu/int8/isa.h"
#include "cpu/step.h"
#include "gpueval/error.h"
#include "graph/op_row.h"

namespace gpueval::cpu {
namespace {

class SimpleStep : public Step {
 public:
  SimpleStep(std::string kernel, RunStep run) : kernel_(std::move(kernel)), run_(std::move(run)) {}
  void run(const Tensors& tensors, int n) override { run_(tensors, n); }
  std::string kernel() const override { return kernel_; }
  bool runs_in_lanes() const override { return true; }

 private:
  std::string kernel_;
  RunStep run_;
};

}  // namespace

const IntegerOp& StepContext::form() const {
  GPUEVAL_CHECK(self().integer.has_value(), "'{}' has an integer type but no integer form", self().name);
  return *self().integer;
}

std::unique_ptr<Step> simple_step(std::string kernel, RunStep run) {
  return std::make_unique<SimpleStep>(std::move(kernel), std::move(run));
}

std::string int8_name(const char* op) { return fmt::format("{}_{}", op, to_string(vector_isa(best_isa_level()))); }

std::unique_ptr<Step> make_step(const StepContext& context) {
  return with_form<std::unique_ptr<Step>>(
      context.graph, context.self(), [&](const auto& op) { return make_float_step(op, context); },
      [&](const auto& op) { return make_int8_step(op, context); });
}

}  // namespace gpueval::cpu
