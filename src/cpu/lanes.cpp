// SPDX-License-Identifier: Apache-2.0
#include "cpu/lanes.h"

#include <omp.h>

#include <algorithm>
#include <cstring>

namespace gpueval::cpu {
namespace {

// Dense weights that fit no cache come from memory at about one byte in the time of this many multiply-adds of a
// convolution, so that below this many in all the network waits for them.
constexpr std::int64_t kMultiplyAddsPerDenseByte = 500;
constexpr std::int64_t kFloatMultiplyAdd = 8;  // integer ones in its time

// A byte of weights that every image fetches anew costs about as much as three of its tensors': of cuts tried on the
// nine networks, batch 16, one and two threads, those of the smallest sum were within the noise of the quickest.
constexpr double kWeightByte = 3;

struct Cost {
  double by_image = 0, together = 0;  // bytes of tensors of one image that a thread fetches from beyond its own cache
};

Cost cost(const LaneStep& step, int batch, int threads, std::int64_t l2) {
  const auto weights = kWeightByte * static_cast<double>(step.weights);
  // One thread finds again what it wrote itself, if the batch's tensors fit its cache.
  const bool stays = threads == 1 && batch * step.tensors <= l2;
  return {.by_image = weights,
          .together = weights * (step.dense ? 1 : threads) / batch + (stays ? 0 : static_cast<double>(step.tensors))};
}

}  // namespace

std::vector<LaneStep> lane_steps(const Graph& graph) {
  const int nodes = static_cast<int>(graph.nodes.size());
  const auto bytes = [&](int node) {
    const Node& self = graph.node(node);
    return self.shape.elements() * static_cast<std::int64_t>(size_of(self.type.dtype));
  };
  std::vector<int> last_read(graph.nodes.size(), -1);
  for (int i = 0; i < nodes; ++i) {
    const Node& self = graph.node(i);
    for (const int src : self.inputs) last_read[static_cast<std::size_t>(src)] = i;
  }
  for (const GraphOutput& out : graph.outputs) last_read[static_cast<std::size_t>(out.node)] = nodes;
  std::vector<LaneStep> steps;
  int live_until = 0;  // of the nodes before this one
  for (int i = 1; i < nodes; ++i) {
    const Node& self = graph.node(i);
    LaneStep step{.tensors = bytes(i)};
    for (const int src : self.inputs) step.tensors += bytes(src);
    if (const auto desc = conv_desc(graph, i)) {
      step.weights = desc->depth() * desc->k;
      step.dense = desc->output_pixels() == 1;
    }
    live_until = std::max(live_until, last_read[static_cast<std::size_t>(i - 1)]);
    step.bottleneck = live_until <= i && self.slice_of < 0;
    steps.push_back(step);
  }
  return steps;
}

int steps_by_image(std::span<const LaneStep> steps, int batch, int threads, std::int64_t l2) {
  if (batch < threads || batch == 1) return 0;
  std::int64_t weights = 0;
  for (const LaneStep& step : steps) weights += step.weights;
  // Weights that stay in the cache cost nothing again; one thread then gains more from tiles full of several images.
  if (weights <= l2 / 2) return threads == 1 ? 0 : static_cast<int>(steps.size());
  double saved = 0, most = 0;  // by the steps so far, if they go image by image
  int best = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Cost bytes = cost(steps[i], batch, threads, l2);
    saved += bytes.together - bytes.by_image;
    if (steps[i].bottleneck && saved > most) {
      most = saved;
      best = static_cast<int>(i) + 1;
    }
  }
  return best;
}

LaneWork lane_work(const Graph& graph, int batch, int threads) {
  LaneWork work{.batch = batch, .threads = threads};
  for (int i = 1; i < static_cast<int>(graph.nodes.size()); ++i) {
    const auto desc = conv_desc(graph, i);
    if (!desc) continue;
    const bool integer = graph.node(i).integer.has_value();
    work.multiply_adds += desc->multiply_adds() * (integer ? 1 : kFloatMultiplyAdd);
    if (desc->p() == 1 && desc->q() == 1) work.dense_bytes += desc->multiply_adds() * (integer ? 1 : 4);
  }
  return work;
}

bool lanes_pay(const LaneWork& work, std::int64_t l2) {
  if (work.threads < 2 || work.batch < work.threads) return false;
  return work.dense_bytes <= l2 || work.dense_bytes * kMultiplyAddsPerDenseByte <= work.multiply_adds;
}

int lane_depth(const Graph& graph, int batch, int threads, std::int64_t l2) {
  const int last = static_cast<int>(graph.nodes.size()) - 1;
  // Lanes leave the last of their steps' tensors, no other.
  if (graph.outputs.size() != 1 || graph.output() != last) return 0;
  for (int i = 1; i <= last; ++i) {
    if (!conv_desc(graph, i) || graph.node(i).integer) continue;
    return lanes_pay(lane_work(graph, batch, threads), l2) ? last : 0;  // primitives are of one image, or of the batch
  }
  return steps_by_image(lane_steps(graph), batch, threads, l2);
}

Lanes::Lanes(const Graph& graph, int lanes, int steps) : graph_(graph), steps_(steps) {
  for (int i = 0; i < lanes; ++i) tensors_.push_back(std::make_unique<Tensors>(graph, 1, i));
}

int Lanes::run(std::span<const std::unique_ptr<Step>> steps, const float* input, int n, bool all,
               const Tensors& batch) {
  const int lanes = static_cast<int>(tensors_.size());
  const int images = all ? n : n - n % lanes;
  if (images == 0) return 0;
  const std::int64_t pixels = graph_.input_node().shape.elements();
  const Node& last = graph_.node(steps_);  // its tensor is dense: no slice
  const std::size_t bytes = static_cast<std::size_t>(last.shape.elements()) * size_of(last.type.dtype);
#pragma omp parallel for schedule(static, 1) num_threads(lanes)
  for (int lane = 0; lane < lanes; ++lane) {
    Tensors& tensors = *tensors_[static_cast<std::size_t>(lane)];
    for (int image = lane; image < images; image += lanes) {
      tensors.set_input(input + image * pixels);
      for (const auto& step : steps.first(static_cast<std::size_t>(steps_))) step->run(tensors, 1);
      std::memcpy(batch.data(steps_) + static_cast<std::size_t>(image) * bytes, tensors.data(steps_), bytes);
    }
  }
  return images;
}

std::size_t Lanes::arena_bytes() const {
  std::size_t bytes = 0;
  for (const auto& tensors : tensors_) bytes += tensors->arena_bytes();
  return bytes;
}

}  // namespace gpueval::cpu
