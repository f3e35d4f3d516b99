// SPDX-License-Identifier: Apache-2.0
#include "keras/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

#include "io/weights/layer_names.h"
#include "keras/settings.h"

namespace gpueval::keras {
namespace {

bool moves_elements(const Op& op) { return std::holds_alternative<Reshape>(op) || std::holds_alternative<Permute>(op); }

std::vector<int> permuted(const std::vector<int>& order, const Shape& src, const Extents& axes) {
  const std::array<int, 3> size{src.h, src.w, src.c}, from{axes.h, axes.w, axes.c};
  const std::array<int, 3> step{src.w * src.c, src.c, 1};
  const auto at = [](const std::array<int, 3>& values, int axis) { return values[static_cast<std::size_t>(axis)]; };
  std::vector<int> result;
  for (int i = 0; i < at(size, from[0]); ++i) {
    for (int j = 0; j < at(size, from[1]); ++j) {
      for (int k = 0; k < at(size, from[2]); ++k) {
        const int element = i * at(step, from[0]) + j * at(step, from[1]) + k * at(step, from[2]);
        result.push_back(order[static_cast<std::size_t>(element)]);
      }
    }
  }
  return result;
}

// The tensor whose elements this one has, in the same order or another.
int origin_of(const Graph& graph, int node) {
  while (moves_elements(graph.node(node).op)) node = graph.node(node).inputs[0];
  return node;
}

// Element i is element order[i] of the origin. Empty: in the same order.
std::vector<int> order_of(const Graph& graph, int node) {
  constexpr std::size_t kMostMoves = 16;  // no network has as many
  std::vector<const Permute*> permutes;
  std::vector<const Shape*> sources;
  for (; moves_elements(graph.node(node).op); node = graph.node(node).inputs[0]) {
    const auto* permute = std::get_if<Permute>(&graph.node(node).op);
    if (permute == nullptr) continue;
    permutes.push_back(permute);
    sources.push_back(&graph.node(graph.node(node).inputs[0]).shape);
    if (permutes.size() > kMostMoves) return {-1};
  }
  if (permutes.empty()) return {};
  std::vector<int> order(static_cast<std::size_t>(graph.node(node).shape.elements()));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = permutes.size(); i-- > 0;) order = permuted(order, *sources[i], permutes[i]->order);
  if (std::is_sorted(order.begin(), order.end())) order.clear();
  return order;
}

std::string shape_text(const Shape& shape) { return fmt::format("{}x{}x{}", shape.h, shape.w, shape.c); }

// A dense layer of one pixel, which may be written as a convolution.
bool is_of_one_pixel(const Graph& graph, const Node& node) {
  const auto* conv = std::get_if<Conv2D>(&node.op);
  const bool pointwise = conv != nullptr && conv->window == Window{} && conv->groups == 1;
  return (pointwise || std::holds_alternative<Dense>(node.op)) && graph.node(node.inputs[0]).shape.pixels() == 1;
}

Node as_dense(Node node) {
  std::vector<std::int64_t>& kernel = node.params.front().array.shape;
  kernel.erase(kernel.begin(), kernel.end() - 2);
  node.op = Dense{};
  return node;
}

bool commutes(const Op& op) {
  const auto* binary = std::get_if<Binary>(&op);
  return std::holds_alternative<Add>(op) || (binary != nullptr && binary->kind != BinaryKind::kSubtract);
}

}  // namespace

// The passes name what they make of a layer after it.
std::string Comparison::layer_of(const Node& built) const {
  constexpr std::string_view kDilated = "/batch_to_space";
  for (const std::string_view suffix :
       {std::string_view(), std::string_view("/depthwise"), std::string_view("/pointwise"), kDilated}) {
    if (!built.name.ends_with(suffix)) continue;
    const auto found = layers_.find(built.name.substr(0, built.name.size() - suffix.size()));
    if (found == layers_.end() || found->second.empty()) continue;
    return found->second + std::string(suffix == kDilated ? "" : suffix);
  }
  return "";
}

bool Comparison::same_weights(int s, int g) const {
  const std::string layer = built_.node(g).params.empty() ? "" : layer_of(built_.node(g));
  return layer.empty() || normalized_name(layer) == normalized_name(file_.node(s).name);
}

bool Comparison::same_kind(int s, int g) const {
  const Node &file = file_.node(s), &built = built_.node(g);
  const bool dense = is_of_one_pixel(file_, file) && is_of_one_pixel(built_, built);
  return (dense || kind_of(file) == kind_of(built)) && same_weights(s, g);
}

bool Comparison::differ(int s, int g) {
  const Node& built = built_.node(g);
  const std::string weights = same_weights(s, g) ? "" : fmt::format(" with the weights of '{}'", layer_of(built));
  return fail_at(described(file_.node(s)), described(built) + weights);
}

bool Comparison::fail_at(const std::string& file, const std::string& built) {
  if (other_.empty()) other_ = fmt::format("{} where {} has {}", file, built_.name, built);
  return false;
}

bool Comparison::alike(int s, int g) {
  const auto known = compared_.find({s, g});
  if (known != compared_.end()) return known->second || differ(s, g);
  bool& result = compared_[{s, g}];
  const int from = origin_of(file_, s), built_from = origin_of(built_, g);
  if (from != s || built_from != g) {
    const bool as_large = file_.node(s).shape.elements() == built_.node(g).shape.elements();
    if (as_large && order_of(file_, s) != order_of(built_, g)) {
      return fail_at(described(file_.node(s)), described(built_.node(g)) + ", which orders elements in another way");
    }
    return result = alike(from, built_from);
  }
  if (!same_kind(s, g)) return differ(s, g);
  return result = inputs_alike(s, g);
}

bool Comparison::in_order(const std::vector<int>& sources, const std::vector<int>& built) {
  for (std::size_t i = 0; i < built.size(); ++i) {
    if (!alike(sources[i], built[i])) return false;
  }
  return true;
}

bool Comparison::inputs_alike(int s, int g) {
  std::vector<int> sources = file_.node(s).inputs;
  const std::vector<int>& built = built_.node(g).inputs;
  if (sources.size() != built.size()) {
    return fail_at(fmt::format("{} with {} inputs", described(file_.node(s)), sources.size()),
                   fmt::format("{} with {}", described(built_.node(g)), built.size()));
  }
  if (sources.size() != 2 || !commutes(built_.node(g).op)) return in_order(sources, built);
  // The likelier order first: what does not fit there is what the message says.
  const auto likely = [&](std::size_t i, std::size_t j) { return same_kind(sources[i], built[j]) ? 1 : 0; };
  bool turned = likely(0, 1) + likely(1, 0) > likely(0, 0) + likely(1, 1);
  if (turned) std::swap(sources[0], sources[1]);
  bool found = in_order(sources, built);
  if (!found) {
    const std::string first = std::exchange(other_, "");
    std::swap(sources[0], sources[1]);
    found = in_order(sources, built);
    if (found) turned = !turned;
    other_ = found ? "" : first;
  }
  turned_[{s, g}] = turned;
  return found;
}

void Comparison::compare(const Node& s, const Node& g) {
  if (kind_of(s) != kind_of(g)) return compare(as_dense(s), as_dense(g));
  const std::size_t before = differences_.size();
  const auto file = settings_of(s), built = settings_of(g);
  const auto value = [](const auto& settings, const std::string& name) {
    const auto found = std::find_if(settings.begin(), settings.end(), [&](const auto& x) { return x.first == name; });
    return found == settings.end() ? std::string("none") : found->second;
  };
  for (const auto& [name, text] : file) {
    if (text != value(built, name)) differences_.push_back({s.name, name, text, value(built, name)});
  }
  for (const auto& [name, text] : built) {
    if (value(file, name) == "none") differences_.push_back({s.name, name, "none", text});
  }
  // What has no name there; epsilons went through float32 and back.
  const bool other = s.op.index() == g.op.index() && !(s.op == g.op) && !std::holds_alternative<BatchNorm>(g.op);
  if (other && differences_.size() == before) {
    differences_.push_back({s.name, "settings", "other than those of " + described(g), "its own"});
  }
  if (!(s.shape == g.shape)) shapes_.push_back({s.name, "result", shape_text(s.shape), shape_text(g.shape)});
}

void Comparison::collect(int s, int g) {
  s = origin_of(file_, s);
  g = origin_of(built_, g);
  if (!collected_.insert({s, g}).second) return;
  std::vector<int> sources = file_.node(s).inputs;
  const std::vector<int>& wanted = built_.node(g).inputs;
  if (const auto turned = turned_.find({s, g}); turned != turned_.end() && turned->second) {
    std::swap(sources[0], sources[1]);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) collect(sources[i], wanted[i]);
  compare(file_.node(s), built_.node(g));
}

}  // namespace gpueval::keras
