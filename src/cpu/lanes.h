// SPDX-License-Identifier: Apache-2.0
// A batch by images: every thread takes images of its own through the whole network, instead of a share of every
// layer of all images. Threads then never wait for each other between layers, and an image's tensors stay in the
// second-level cache of one core; the price is that weights are read once per image. Integers: same bits either way.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cpu/step.h"

namespace gpueval::cpu {

struct LaneWork {
  int batch = 1, threads = 1;
  std::int64_t multiply_adds = 0;  // of one image; a float32 one counts as the integer ones that take its time
  std::int64_t dense_bytes = 0;    // weights of layers with one output pixel: each serves one multiply-add an image
};
LaneWork lane_work(const Graph& graph, int batch, int threads);
// l2: second-level cache of one core, bytes.
bool lanes_pay(const LaneWork& work, std::int64_t l2);

class Lanes {
 public:
  Lanes(const Graph& graph, int lanes);
  // Runs the n images or, unless `all`, as many of them as there are whole rounds of all lanes; returns how many.
  int run(std::span<const std::unique_ptr<Step>> steps, const float* input, int n, bool all, float* logits);
  std::size_t arena_bytes() const;

 private:
  const Graph& graph_;
  std::vector<std::unique_ptr<Tensors>> tensors_;  // one image each
};

}  // namespace gpueval::cpu
