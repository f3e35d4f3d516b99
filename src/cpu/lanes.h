// SPDX-License-Identifier: Apache-2.0
// A batch by images: every thread takes images of its own through the network's first layers, or all, instead of a
// share of every layer of all images. Threads then do not wait for each other between layers, and an image's tensors
// stay in the second-level cache of one core; the price is that weights are read once per image, and that small maps do
// not fill tiles. Tensors shrink and weights grow from layer to layer: behind some layer an int8 batch goes on
// together. Integers: same bits either way.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cpu/step.h"

namespace gpueval::cpu {

// What one step moves, in bytes.
struct LaneStep {
  std::int64_t weights = 0;
  std::int64_t tensors = 0;  // of one image: what it reads and writes
  bool dense = false;        // one output pixel: together, the threads share out the weights, else the pixels
  bool bottleneck = false;   // later steps read nothing that was made before them but this step's own tensor
};
std::vector<LaneStep> lane_steps(const Graph& graph);
// How many of the first steps each thread should take its own images through: 0 to steps.size(), behind a bottleneck.
// l2: second-level cache of one core, bytes.
int steps_by_image(std::span<const LaneStep> steps, int batch, int threads, std::int64_t l2);

// Whether float32 networks, whose steps all do or none, should.
struct LaneWork {
  int batch = 1, threads = 1;
  std::int64_t multiply_adds = 0;  // of one image; a float32 one counts as the integer ones that take its time
  std::int64_t dense_bytes = 0;    // weights of layers with one output pixel: each serves one multiply-add an image
};
LaneWork lane_work(const Graph& graph, int batch, int threads);
bool lanes_pay(const LaneWork& work, std::int64_t l2);

// Of this network's first steps, by the one or the other.
int lane_depth(const Graph& graph, int batch, int threads, std::int64_t l2);

class Lanes {
 public:
  Lanes(const Graph& graph, int lanes, int steps);
  // Runs the first steps of the n images or, unless `all`, of as many of them as there are whole rounds of all lanes,
  // leaves their tensors in `batch`, and returns how many images that were.
  int run(std::span<const std::unique_ptr<Step>> steps, const float* input, int n, bool all, const Tensors& batch);
  int steps() const { return steps_; }
  std::size_t arena_bytes() const;

 private:
  const Graph& graph_;
  int steps_;
  std::vector<std::unique_ptr<Tensors>> tensors_;  // one image each
};

}  // namespace gpueval::cpu
