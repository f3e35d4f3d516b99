// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/twin_networks.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/stop_signal.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr int kBatch = 8;

std::int64_t bytes_of(const Node& node) {
  return node.shape.elements() * static_cast<std::int64_t>(size_of(node.type.dtype));
}

// Alive while node i runs, per image, in graph order.
std::vector<std::int64_t> live_bytes(const Graph& graph) {
  const auto consumers = graph.consumers();
  std::vector<std::int64_t> live(graph.nodes.size(), 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const int last =
        consumers[i].empty() ? static_cast<int>(i) : *std::max_element(consumers[i].begin(), consumers[i].end());
    for (std::size_t at = i; at <= static_cast<std::size_t>(last); ++at) live[at] += bytes_of(graph.nodes[i]);
  }
  return live;
}

}  // namespace

StoredNetwork::StoredNetwork(Graph lowered, const MakeNodeRunner& make_runner)
    : graph_(std::move(lowered)), make_runner_(make_runner), tensors_(graph_.nodes.size()) {
  for (const std::vector<int>& readers : graph_.consumers()) readers_left_.push_back(static_cast<int>(readers.size()));
}

void StoredNetwork::store(int index, SharedTensor tensor) {
  const bool is_read = readers_left_[static_cast<std::size_t>(index)] > 0;  // an output of the network may not be
  if (is_read) tensors_[static_cast<std::size_t>(index)] = std::move(tensor);
  for (const int input : node(index).inputs) {
    if (--readers_left_[static_cast<std::size_t>(input)] == 0) tensors_[static_cast<std::size_t>(input)].reset();
  }
}

void StoredNetwork::run(int index, const Node& node, const Visit& visit) const {
  const std::vector<int>& inputs = graph_.node(index).inputs;
  const int images = tensor(inputs[0]).shape.n;
  const std::unique_ptr<NodeRunner> runner = make_runner_(graph_, node, std::min(kBatch, images));
  for (int first = 0; first < images; first += kBatch) {
    stop_point();
    std::vector<TensorView> sources;
    for (const int input : inputs) sources.push_back(tensor(input).view(first, std::min(kBatch, images - first)));
    visit(first, runner->run(sources));
  }
}

SharedTensor StoredNetwork::run(int index) const {
  const Node& node = graph_.node(index);
  const int images = tensor(node.inputs[0]).shape.n;
  auto result = std::make_shared<ImageTensor>(node.type.dtype, node.shape, images);
  run(index, node, [&](int first, const TensorView& view) { result->store(first, view); });
  return result;
}

std::int64_t peak_bytes_per_image(const Graph& lowered_float, const Graph& lowered_static) {
  const std::vector<std::int64_t> a = live_bytes(lowered_float), b = live_bytes(lowered_static);
  return *std::max_element(a.begin(), a.end()) + *std::max_element(b.begin(), b.end());
}

SharedTensor read_images(const CalibrationImages& images, const Shape& image, std::int64_t most) {
  const BatchSource source = images();
  std::vector<float> pixels, batch;
  const std::int64_t size = image.elements();
  std::int64_t count = 0;
  while (count < most) {
    const int n = source(batch, static_cast<int>(std::min<std::int64_t>(kBatch, most - count)));
    if (n == 0) break;
    pixels.insert(pixels.end(), batch.begin(), batch.begin() + n * size);
    count += n;
  }
  if (count == 0) fail("calibration found no image to run");
  auto result = std::make_shared<ImageTensor>(DType::kF32, image, static_cast<int>(count));
  std::memcpy(result->bytes.data(), pixels.data(), result->bytes.size());
  return result;
}

}  // namespace gpueval
