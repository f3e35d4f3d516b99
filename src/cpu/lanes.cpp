// SPDX-License-Identifier: Apache-2.0
#include "cpu/lanes.h"

#include <omp.h>

#include <cstring>

#include "graph/layer_info.h"

namespace gpueval::cpu {
namespace {

// Dense weights that fit no cache come from memory at about one byte in the time of this many multiply-adds of a
// convolution, so that below this many in all the network waits for them.
constexpr std::int64_t kMultiplyAddsPerDenseByte = 500;
constexpr std::int64_t kFloatMultiplyAdd = 8;  // integer ones in its time

}  // namespace

LaneWork lane_work(const Graph& graph, int batch, int threads) {
  LaneWork work{.batch = batch, .threads = threads};
  for (int i = 1; i < static_cast<int>(graph.nodes.size()); ++i) {
    const auto desc = conv_desc(graph, i);
    if (!desc) continue;
    const bool integer = graph.nodes[static_cast<std::size_t>(i)].integer.has_value();
    work.multiply_adds += desc->multiply_adds() * (integer ? 1 : kFloatMultiplyAdd);
    if (desc->p() == 1 && desc->q() == 1) work.dense_bytes += desc->multiply_adds() * (integer ? 1 : 4);
  }
  return work;
}

bool lanes_pay(const LaneWork& work, std::int64_t l2) {
  if (work.threads < 2 || work.batch < work.threads) return false;
  return work.dense_bytes <= l2 || work.dense_bytes * kMultiplyAddsPerDenseByte <= work.multiply_adds;
}

Lanes::Lanes(const Graph& graph, int lanes) : graph_(graph) {
  for (int i = 0; i < lanes; ++i) tensors_.push_back(std::make_unique<Tensors>(graph, 1, i));
}

int Lanes::run(std::span<const std::unique_ptr<Step>> steps, const float* input, int n, bool all, float* logits) {
  const int lanes = static_cast<int>(tensors_.size());
  const int images = all ? n : n - n % lanes;
  if (images == 0) return 0;
  const std::int64_t pixels = graph_.input_node().shape.elements(), classes = graph_.output_node().shape.elements();
#pragma omp parallel for schedule(static, 1) num_threads(lanes)
  for (int lane = 0; lane < lanes; ++lane) {
    Tensors& tensors = *tensors_[static_cast<std::size_t>(lane)];
    for (int image = lane; image < images; image += lanes) {
      tensors.set_input(input + image * pixels);
      for (const auto& step : steps) step->run(tensors, 1);
      std::memcpy(logits + image * classes, tensors.view(graph_.output, 1).data,
                  static_cast<std::size_t>(classes) * sizeof(float));
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
