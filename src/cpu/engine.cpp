// SPDX-License-Identifier: Apache-2.0
#include "cpu/engine.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "core/stop_signal.h"
#include "core/threads.h"
#include "cpu/int8/isa.h"
#include "cpu/lanes.h"
#include "cpu/step.h"
#include "gpueval/error.h"
#include "graph/drop_weights.h"
#include "graph/layer_info.h"
#include "graph/passes.h"

namespace gpueval::cpu {
namespace {

// A float32 one of all channels takes longer at once than by Winograd's algorithm, or our other kernels, on its
// pictures.
bool has_dilated_kernel(const Node& conv) { return conv.integer || std::holds_alternative<DepthwiseConv2D>(conv.op); }

class CpuEngine : public Engine {
 public:
  CpuEngine(Graph graph, const EngineOptions& options)
      : graph_(options.every_node ? std::move(graph) : join_dilations(std::move(graph), has_dilated_kernel)),
        options_(options),
        tensors_(graph_, options.batch) {
    const int by_image = lane_depth(graph_, options_.batch, threads(), cache_sizes().l2);
    const int wanted = by_image > 0 ? threads() : 0;
    steps_.resize(graph_.nodes.size() - 1);
    layers_.resize(steps_.size());
    // The last first: dense layers, often the largest, are packed before the packed copies of others are there.
    for (std::size_t i = steps_.size(); i-- > 0;) {
      const int node = static_cast<int>(i) + 1;
      steps_[i] = make_step({graph_, node, options_.batch, options_.kernel, wanted});
      layers_[i] = layer_info(graph_, node, steps_[i]->kernel());
      drop_weights(graph_.nodes[i + 1]);  // packed, or held, by the step
    }
    const auto first = std::span(steps_).first(static_cast<std::size_t>(by_image));
    const auto in_lanes = [](const auto& step) { return step->runs_in_lanes(); };
    if (by_image > 0 && std::all_of(first.begin(), first.end(), in_lanes)) lanes_.emplace(graph_, wanted, by_image);
    whole_batches_ =
        std::any_of(steps_.begin(), steps_.end(), [](const auto& step) { return step->takes_whole_batches(); });
  }

  void run(std::span<const float> input, int n, Outputs outputs) override {
    check(input, n, outputs);
    if (lanes_) {  // then there is one output
      const int done = lanes_->run(steps_, input.data(), n, whole_batches_, tensors_);
      if (done > 0) run_steps(static_cast<std::size_t>(lanes_->steps()), done, outputs);
      const auto images = static_cast<std::size_t>(done);
      input = input.subspan(images * image_elements());
      outputs = outputs[0].subspan(images * output_elements(graph_, 0));
      n -= done;
    }
    if (n == 0) return;
    begin(input, n, outputs);
    run_steps(0, n, outputs);
  }

  void run_tapped(std::span<const float> input, int n, Outputs outputs, const LayerTap& tap) override {
    begin(input, n, outputs);
    tap(0, tensors_.view(0, n));
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      stop_point();
      steps_[i]->run(tensors_, n);
      tap(static_cast<int>(i) + 1, tensors_.view(static_cast<int>(i) + 1, n));
    }
    finish(n, outputs);
  }

  void run_timed(std::span<const float> input, int n, Outputs outputs, std::span<double> seconds) override {
    GPUEVAL_CHECK(seconds.size() == steps_.size(), "{} times for {} steps", seconds.size(), steps_.size());
    begin(input, n, outputs);
    auto last = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      steps_[i]->run(tensors_, n);
      const auto now = std::chrono::steady_clock::now();
      seconds[i] += std::chrono::duration<double>(now - last).count();
      last = now;
    }
    finish(n, outputs);
  }

  const std::vector<LayerInfo>& layers() const override { return layers_; }
  const Graph& graph() const override { return graph_; }
  std::string device() const override { return "cpu"; }
  std::size_t arena_bytes() const override { return tensors_.arena_bytes() + (lanes_ ? lanes_->arena_bytes() : 0); }

 private:
  std::size_t image_elements() const { return static_cast<std::size_t>(graph_.input_node().shape.elements()); }

  void check(std::span<const float> input, int n, Outputs outputs) const {
    const auto images = static_cast<std::size_t>(n);
    GPUEVAL_CHECK(n >= 1 && n <= options_.batch, "{} images for a batch of {}", n, options_.batch);
    GPUEVAL_CHECK(input.size() >= images * image_elements(), "{} inputs, {} images", input.size(), n);
    check_outputs(graph_, n, outputs);
  }

  void begin(std::span<const float> input, int n, Outputs outputs) {
    check(input, n, outputs);
    const std::size_t image = image_elements(), images = static_cast<std::size_t>(n);
    if (n == options_.batch) {
      tensors_.set_input(input.data());
      return;
    }
    // oneDNN's primitives always take the whole batch: give them a full buffer to read.
    partial_.resize(image * static_cast<std::size_t>(options_.batch));
    std::copy_n(input.begin(), images * image, partial_.begin());
    tensors_.set_input(partial_.data());
  }

  // Steps [first, end) of n images, whose tensors before them are there.
  void run_steps(std::size_t first, int n, Outputs outputs) {
    for (std::size_t i = first; i < steps_.size(); ++i) steps_[i]->run(tensors_, n);
    finish(n, outputs);
  }

  void finish(int n, Outputs outputs) const {
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      const TensorView out = tensors_.view(graph_.outputs[i].node, n);
      std::memcpy(outputs[i].data(), out.data, static_cast<std::size_t>(out.shape.elements()) * sizeof(float));
    }
  }

  Graph graph_;
  EngineOptions options_;
  Tensors tensors_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<LayerInfo> layers_;
  std::vector<float> partial_;
  std::optional<Lanes> lanes_;
  bool whole_batches_ = false;  // of some step: fewer images cost as much, outside of the lanes
};

}  // namespace

std::unique_ptr<Engine> make_cpu_engine(Graph lowered, const EngineOptions& options) {
  GPUEVAL_CHECK(options.batch >= 1, "batch {}", options.batch);
  set_threads(threads());  // oneDNN's number is a thread-local setting of OpenMP
  return std::make_unique<CpuEngine>(std::move(lowered), options);
}

}  // namespace gpueval::cpu
