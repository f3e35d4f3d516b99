// SPDX-License-Identifier: Apache-2.0
#include "gpueval/layer_error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/threads.h"
#include "gpueval/error.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

constexpr std::int64_t kPixelsPerBlock = 256;

// What is summed, for one tensor over all images.
struct Sums {
  double signal = 0, noise = 0, cross = 0, power = 0;  // f^2, (f - x)^2, f * x, x^2
  std::int64_t elements = 0, saturated = 0;
  int largest = 0;

  void add(const Sums& other) {
    signal += other.signal;
    noise += other.noise;
    cross += other.cross;
    power += other.power;
    elements += other.elements;
    saturated += other.saturated;
    largest = std::max(largest, other.largest);
  }
};

struct Kept {  // a dense copy of a tensor
  TensorView view;
  std::vector<std::byte> bytes;
};

Kept keep(const TensorView& view) {
  const std::size_t size = size_of(view.dtype), row = static_cast<std::size_t>(view.shape.c) * size;
  Kept kept{view, std::vector<std::byte>(static_cast<std::size_t>(view.shape.elements()) * size)};
  const auto* from = static_cast<const std::byte*>(view.data);
  for (std::int64_t p = 0; p < view.shape.pixels(); ++p) {
    std::memcpy(&kept.bytes[static_cast<std::size_t>(p) * row], from + p * view.pitch * static_cast<std::int64_t>(size),
                row);
  }
  return kept;
}

// Per channel: the scale, and whether the type's upper end is no more than the activation's own cut.
struct Channel {
  float scale = 1;
  int zero_point = 0;
  bool cut_at_end = false;
};

std::vector<Channel> channels_of(const Node& node) {
  const Activation* act = fused_activation(node.op);
  const float end = node.type.dtype == DType::kU8 ? 255.0f : 127.0f;
  std::vector<Channel> channels(static_cast<std::size_t>(node.shape.c));
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const std::vector<float>& scale = node.type.scale;
    if (!scale.empty()) channels[c].scale = scale[scale.size() > 1 ? c : 0];
    channels[c].zero_point = node.type.zero_point;
    // 6 / scale may be rounded to just above or below the end.
    channels[c].cut_at_end = act != nullptr && *act == Activation::kRelu6 && channels[c].scale * end >= 5.9999f;
  }
  return channels;
}

template <typename T>
void add_row(const float* f, const T* q, const std::vector<Channel>& channels, Sums& sums) {
  constexpr bool kInteger = !std::is_same_v<T, float>;
  constexpr int kEnd = std::is_same_v<T, std::uint8_t> ? 255 : 127;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const double exact = f[c], x = double{channels[c].scale} * (static_cast<double>(q[c]) - channels[c].zero_point);
    sums.signal += exact * exact;
    sums.noise += (exact - x) * (exact - x);
    sums.cross += exact * x;
    sums.power += x * x;
    if constexpr (kInteger) {
      const int magnitude = std::abs(static_cast<int>(q[c]));
      sums.largest = std::max(sums.largest, magnitude);
      const bool at_end = magnitude == kEnd || (channels[c].zero_point != 0 && q[c] == 0);
      sums.saturated += at_end && !(channels[c].cut_at_end && q[c] > 0) ? 1 : 0;
    }
  }
  sums.elements += std::ssize(channels);
}

template <typename T>
Sums compare(const TensorView& exact, const Kept& kept, const std::vector<Channel>& channels) {
  const std::int64_t pixels = exact.shape.pixels(), blocks = (pixels + kPixelsPerBlock - 1) / kPixelsPerBlock;
  std::vector<Sums> parts(static_cast<std::size_t>(blocks));
  parallel_for(blocks, [&](std::int64_t block) {
    Sums part;
    for (std::int64_t p = block * kPixelsPerBlock; p < std::min(pixels, (block + 1) * kPixelsPerBlock); ++p) {
      const T* q = reinterpret_cast<const T*>(kept.bytes.data()) + p * exact.shape.c;
      add_row(static_cast<const float*>(exact.data) + p * exact.pitch, q, channels, part);
    }
    parts[static_cast<std::size_t>(block)] = part;
  });
  Sums sums;
  for (const Sums& part : parts) sums.add(part);
  return sums;
}

Sums compare(const TensorView& exact, const Kept& kept, const std::vector<Channel>& channels) {
  switch (kept.view.dtype) {
    case DType::kU8:
      return compare<std::uint8_t>(exact, kept, channels);
    case DType::kS8:
      return compare<std::int8_t>(exact, kept, channels);
    default:
      return compare<float>(exact, kept, channels);
  }
}

LayerError finished(const Node& node, const Sums& sums) {
  LayerError error{.name = node.name};
  error.sqnr_db = sums.noise == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(sums.signal / sums.noise);
  const double norm = std::sqrt(sums.signal) * std::sqrt(sums.power);
  error.cosine = norm > 0 ? sums.cross / norm : (sums.signal == sums.power ? 1 : 0);
  error.is_integer = node.type.dtype == DType::kS8 || node.type.dtype == DType::kU8;
  if (error.is_integer) {
    error.range_used = sums.largest / (node.type.dtype == DType::kU8 ? 255.0 : 127.0);
    error.saturation =
        sums.elements == 0 ? 0 : static_cast<double>(sums.saturated) / static_cast<double>(sums.elements);
  }
  return error;
}

// The node of the float32 graph that a node of the quantized one stands for, or -1.
int counterpart(const Graph& float_graph, const Graph& quantized, const std::vector<std::vector<int>>& consumers,
                std::size_t index) {
  const Node& node = quantized.nodes[index];
  // A batch norm of the `reference` scheme, which the float32 graph has in its convolution, or as an Affine of its
  // name.
  const auto folded_norm = [&](const Node& each) {
    return std::holds_alternative<BatchNorm>(each.op) && float_graph.find(each.name) < 0;
  };
  const auto reads_folded = [&](int reader) { return folded_norm(quantized.node(reader)); };
  if (index == 0 || std::any_of(consumers[index].begin(), consumers[index].end(), reads_folded)) return -1;
  std::string name = node.name;
  if (name == "quantize_input") name = float_graph.input_node().name;
  std::size_t inputs = node.inputs.size();
  if (folded_norm(node)) {
    const Node& layer = quantized.node(node.inputs[0]);
    name = layer.name;
    inputs = layer.inputs.size();
  }
  const int found = float_graph.find(name);
  if (found < 0) return -1;
  const Node& exact = float_graph.node(found);
  const bool same = exact.shape == node.shape && (found == 0 || exact.inputs.size() == inputs);
  return same ? found : -1;
}

class Comparison {
 public:
  Comparison(Engine& float_engine, Engine& quantized_engine)
      : exact_(float_engine), quantized_(quantized_engine), partners_(float_engine.graph().nodes.size()) {
    const Graph& graph = quantized_.graph();
    const auto consumers = graph.consumers();
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const int partner = counterpart(exact_.graph(), graph, consumers, i);
      is_kept_.push_back(partner >= 0);
      channels_.push_back(channels_of(graph.nodes[i]));
      if (partner >= 0) partners_[static_cast<std::size_t>(partner)].push_back(i);
    }
    sums_.resize(graph.nodes.size());
    const std::vector<GraphOutput>&theirs = exact_.graph().outputs, &ours = graph.outputs;
    GPUEVAL_CHECK(theirs.size() == ours.size(), "{} and {} outputs", theirs.size(), ours.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const Shape &a = exact_.graph().node(theirs[i].node).shape, &b = graph.node(ours[i].node).shape;
      GPUEVAL_CHECK(a == b, "output '{}' has the shapes {} and {}", ours[i].name, to_string(a), to_string(b));
    }
  }

  void add(std::span<const float> input, int n) {
    const OutputBuffers exact(exact_.graph(), n), ours(quantized_.graph(), n);
    std::vector<Kept> kept(sums_.size());
    quantized_.run_tapped(input, n, ours, [&](int node, const TensorView& view) {
      const auto i = static_cast<std::size_t>(node);
      if (is_kept_[i]) kept[i] = keep(view);
    });
    exact_.run_tapped(input, n, exact, [&](int node, const TensorView& view) {
      for (const std::size_t i : partners_[static_cast<std::size_t>(node)]) {
        sums_[i].add(compare(view, kept[i], channels_[i]));
        kept[i] = {};
      }
    });
    if (exact_.graph().outputs.size() == 1) add_logits(n, exact[0], ours[0]);
    result_.images += n;
  }

  int images() const { return result_.images; }

  LayerErrors finish() {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      if (is_kept_[i]) result_.layers.push_back(finished(quantized_.graph().nodes[i], sums_[i]));
    }
    return std::move(result_);
  }

 private:
  void add_logits(int n, std::span<const float> exact, std::span<const float> ours) {
    const std::size_t classes = output_elements(exact_.graph(), 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      result_.logits.add(exact.subspan(i * classes, classes), ours.subspan(i * classes, classes));
    }
  }

  Engine &exact_, &quantized_;
  std::vector<std::vector<std::size_t>> partners_;  // per float32 node, the quantized graph's nodes compared with it
  std::vector<bool> is_kept_;                       // per node of the quantized graph, as the next two
  std::vector<std::vector<Channel>> channels_;
  std::vector<Sums> sums_;
  LayerErrors result_;
};

}  // namespace

const LayerError* LayerErrors::find(const std::string& name) const {
  const auto found = std::find_if(layers.begin(), layers.end(), [&](const LayerError& e) { return e.name == name; });
  return found == layers.end() ? nullptr : &*found;
}

LayerErrors measure_layer_errors(Engine& float_engine, Engine& quantized_engine, const BatchSource& source, int batch,
                                 const std::function<void(int)>& progress) {
  Comparison comparison(float_engine, quantized_engine);
  std::vector<float> input;
  while (const int n = source(input, batch)) {
    comparison.add(input, n);
    if (progress) progress(comparison.images());
  }
  if (comparison.images() == 0) fail("the per-layer error found no image to run");
  return comparison.finish();
}

}  // namespace gpueval
