// SPDX-License-Identifier: Apache-2.0
#include "io/weights/check_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>
#include <utility>

#include "gpueval/error.h"
#include "graph/op_row.h"
#include "io/weights/config_settings.h"
#include "io/weights/layer_names.h"

namespace gpueval {
namespace {

// A layer of the file; one with an activation in it is two of these.
struct Step {
  const LayerConfig* layer;
  std::string op;           // op_name of what it is in a graph: "Conv2D", "ReLU"; else Keras's class
  std::string activation;   // of "ReLU"
  std::vector<int> inputs;  // indices of steps
  const std::string* find(const char* setting) const {
    const auto found = layer->settings.find(setting);
    return found == layer->settings.end() ? nullptr : &found->second;
  }
};

std::string op_of(const std::string& kind) {
  if (kind == "Activation" || kind == "Softmax") return "ReLU";  // with the activation of that name
  for (const OpRow& row : op_rows()) {
    if (kind == row.keras_class) return row.name;
  }
  return kind;
}

std::string text(const Padding& pad) { return fmt::format("{},{},{},{}", pad.top, pad.bottom, pad.left, pad.right); }

Padding operator+(const Padding& a, const Padding& b) {
  return {a.top + b.top, a.bottom + b.bottom, a.left + b.left, a.right + b.right};
}

std::optional<Padding> parse_padding(const std::string& value) {
  std::array<int, 4> sides{};
  const char* at = value.c_str();
  for (std::size_t i = 0; i < 4; ++i) {
    char* end = nullptr;
    const long side = std::strtol(at, &end, 10);
    if (end == at || side < 0 || side > 1 << 16 || *end != (i < 3 ? ',' : '\0')) return std::nullopt;
    sides[i] = static_cast<int>(side);
    at = end + 1;
  }
  return Padding{sides[0], sides[1], sides[2], sides[3]};
}

struct Difference {
  std::string layer, setting, file, graph;
};

class Comparison {
 public:
  Comparison(const Graph& graph, const WeightFile& file, const std::vector<int>& matched, bool other_size)
      : graph_(graph), file_(file), matched_(matched), other_size_(other_size) {
    make_steps();
  }
  void run();

 private:
  const Node& node(int i) const { return graph_.node(i); }
  const Step& step(int i) const { return steps_[static_cast<std::size_t>(i)]; }
  int input_of(int i) const { return step(i).inputs.empty() ? -1 : step(i).inputs[0]; }

  void make_steps();
  int skip_identities(int i) const;
  int result() const;
  int skip_flatten(int g) const;
  bool same_kind(int s, int g) const;
  bool alike(int s, int g);
  bool inputs_alike(int s, int g);
  bool in_order(const std::vector<int>& steps, const std::vector<int>& nodes);
  bool differs_in_kind(int s, int g);
  bool padded_alike(int s, int g, const Window& window);
  void compare(int s, int g);
  void compare_window(int s, const Window& window);
  void compare_pool_padding(int s, int g, const Window& window);
  void expect(int s, const char* setting, const std::string& graph);
  void note(int s, const std::string& setting, const std::string& file, const std::string& graph);

  const Graph& graph_;
  const WeightFile& file_;
  const std::vector<int>& matched_;
  const bool other_size_;
  std::vector<Step> steps_;
  std::set<std::pair<int, int>> alike_, unlike_;  // pairs that were compared
  std::vector<Difference> differences_;
  std::string structure_;  // the first place at which the networks have other operations
};

void Comparison::make_steps() {
  std::map<std::string, int> last;
  for (const LayerConfig& layer : file_.config) {
    Step made{.layer = &layer, .op = op_of(layer.kind), .activation = {}, .inputs = {}};
    const auto activation = layer.settings.find("activation");
    const bool has = activation != layer.settings.end();
    if (made.op == "ReLU") made.activation = layer.kind == "Softmax" ? "softmax" : has ? activation->second : "linear";
    steps_.push_back(std::move(made));
    last[layer.name] = static_cast<int>(steps_.size()) - 1;
    if (has && steps_.back().op != "ReLU" && activation->second != "linear") {
      const int inner = last[layer.name]++;
      steps_.push_back({.layer = &layer, .op = "ReLU", .activation = activation->second, .inputs = {inner}});
    }
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!steps_[i].inputs.empty()) continue;
    for (const std::string& name : steps_[i].layer->inputs) {
      const auto found = last.find(name);
      if (found == last.end()) {
        fail("{}: layer '{}' reads '{}', which is not among the layers of the model", file_.path, steps_[i].layer->name,
             name);
      }
      steps_[i].inputs.push_back(found->second);
    }
  }
}

// Bounded, for a file may describe a circle.
int Comparison::skip_identities(int i) const {
  for (std::size_t count = 0; i >= 0 && count < steps_.size(); ++count) {
    const bool linear = step(i).op == "ReLU" && step(i).activation == "linear";
    if (!linear && !is_identity(step(i).layer->kind)) return i;
    i = input_of(i);
  }
  return -1;
}

// The step that gives the logits.
int Comparison::result() const {
  int i = -1;
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    if (steps_[s].layer->name == file_.output) i = static_cast<int>(s);
  }
  i = skip_identities(i);
  if (i >= 0 && step(i).op == "ReLU" && step(i).activation == "softmax") i = skip_identities(input_of(i));
  return i;
}

void Comparison::note(int s, const std::string& setting, const std::string& file, const std::string& graph) {
  differences_.push_back({step(s).layer->name, setting, file, graph});
}

void Comparison::expect(int s, const char* setting, const std::string& graph) {
  const std::string* found = step(s).find(setting);
  if (found != nullptr && *found != graph) note(s, setting, *found, graph);
}

bool Comparison::differs_in_kind(int s, int g) {
  std::string file = s < 0 ? "nothing" : fmt::format("'{}' ({})", step(s).layer->name, step(s).layer->kind);
  if (s >= 0 && step(s).op == "ReLU") file = fmt::format("'{}' ({})", step(s).layer->name, step(s).activation);
  if (structure_.empty()) {
    structure_ = fmt::format("{} where {} has '{}' ({})", file, graph_.name, node(g).name, op_name(node(g).op));
  }
  return false;
}

// Whether a step is the operation of a node, with the weights of the layer of that name.
bool Comparison::same_kind(int s, int g) const {
  const Node& wanted = node(g);
  std::string op = step(s).op;
  if (op == "AvgPool" && std::holds_alternative<GlobalAvgPool>(wanted.op)) {
    const Shape& src = node(wanted.inputs[0]).shape;
    const std::string* size = step(s).find("pool size");
    if (size != nullptr && *size == fmt::format("{}x{}", src.h, src.w)) op = "GlobalAvgPool";
  }
  if (op != op_name(wanted.op)) return false;
  const int layer = matched_[static_cast<std::size_t>(g)];
  if (layer < 0) return true;
  const std::string& name = file_.layers[static_cast<std::size_t>(layer)].name;
  return name.empty() || normalized_name(name) == normalized_name(step(s).layer->name);
}

int Comparison::skip_flatten(int g) const {
  while (std::holds_alternative<Flatten>(node(g).op)) g = node(g).inputs[0];
  return g;
}

bool Comparison::alike(int s, int g) {
  s = skip_identities(s);
  g = skip_flatten(g);
  if (alike_.contains({s, g})) return true;
  if (s < 0 || !same_kind(s, g)) return differs_in_kind(s, g);
  if (unlike_.contains({s, g})) return false;
  const std::size_t differences = differences_.size();
  if (!inputs_alike(s, g)) {
    differences_.resize(differences);
    unlike_.insert({s, g});
    return false;
  }
  compare(s, g);
  alike_.insert({s, g});
  return true;
}

bool Comparison::in_order(const std::vector<int>& steps, const std::vector<int>& nodes) {
  const std::size_t differences = differences_.size();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (alike(steps[i], nodes[i])) continue;
    differences_.resize(differences);
    return false;
  }
  return true;
}

bool Comparison::inputs_alike(int s, int g) {
  const Node& wanted = node(g);
  if (const auto* conv = std::get_if<Conv2D>(&wanted.op)) return padded_alike(s, g, conv->window);
  if (const auto* conv = std::get_if<DepthwiseConv2D>(&wanted.op)) return padded_alike(s, g, conv->window);
  if (const auto* conv = std::get_if<SeparableConv2D>(&wanted.op)) return padded_alike(s, g, conv->window);
  std::vector<int> inputs = step(s).inputs;
  if (inputs.size() != wanted.inputs.size()) {
    if (structure_.empty()) {
      structure_ = fmt::format("'{}' with {} inputs where {} has '{}' with {}", step(s).layer->name, inputs.size(),
                               graph_.name, wanted.name, wanted.inputs.size());
    }
    return false;
  }
  const bool either_order = std::holds_alternative<Add>(wanted.op) && inputs.size() == 2;
  const auto likely = [&](int input, int src) {
    const int skipped = skip_identities(input);
    return skipped >= 0 && same_kind(skipped, skip_flatten(src));
  };
  // The likelier order first: what does not fit there is what the message says.
  if (either_order && likely(inputs[0], wanted.inputs[1]) + likely(inputs[1], wanted.inputs[0]) >
                          likely(inputs[0], wanted.inputs[0]) + likely(inputs[1], wanted.inputs[1])) {
    std::swap(inputs[0], inputs[1]);
  }
  if (in_order(inputs, wanted.inputs)) return true;
  if (!either_order) return false;
  const std::string structure = structure_;
  structure_.clear();
  std::swap(inputs[0], inputs[1]);
  const bool found = in_order(inputs, wanted.inputs);
  if (!found) structure_ = structure;
  return found;
}

// "same", "valid", and zeros in front of the layer are one thing: how many there are on each side.
bool Comparison::padded_alike(int s, int g, const Window& window) {
  Padding file_pad{}, graph_pad = window.pad;
  int src = skip_identities(input_of(s));
  bool known = true;
  for (std::size_t count = 0; src >= 0 && step(src).op == "ZeroPad" && count < steps_.size(); ++count) {
    const std::string* value = step(src).find("padding");
    const auto pad = parse_padding(value != nullptr ? *value : "1,1,1,1");
    if (!pad) return differs_in_kind(src, g);
    file_pad = file_pad + *pad;
    src = skip_identities(input_of(src));
  }
  int graph_src = node(g).inputs[0];
  while (const auto* pad = std::get_if<ZeroPad>(&node(graph_src).op)) {
    graph_pad = graph_pad + pad->pad;
    graph_src = node(graph_src).inputs[0];
  }
  if (const std::string* padding = step(s).find("padding"); padding == nullptr) {
    known = false;
  } else if (*padding == "same") {
    const Shape& shape = node(graph_src).shape;
    const SamePadding rows = same_padding(shape.h + file_pad.top + file_pad.bottom, window.kernel_h, window.stride_h),
                      columns =
                          same_padding(shape.w + file_pad.left + file_pad.right, window.kernel_w, window.stride_w);
    file_pad = file_pad + Padding{rows.before, rows.after, columns.before, columns.after};
  } else if (*padding != "valid") {
    note(s, "padding", *padding, text(graph_pad));
    known = false;
  }
  if (!alike(src, graph_src)) return false;
  if (known && !(file_pad == graph_pad)) note(s, "padding", text(file_pad), text(graph_pad));
  return true;
}

void Comparison::compare_window(int s, const Window& window) {
  expect(s, "strides", fmt::format("{}x{}", window.stride_h, window.stride_w));
  expect(s, "dilation", "1x1");
  expect(s, "groups", "1");
  expect(s, "depth multiplier", "1");
}

void Comparison::compare_pool_padding(int s, int g, const Window& window) {
  const std::string* padding = step(s).find("padding");
  if (padding == nullptr) return;
  Padding file_pad{};
  if (*padding == "same") {
    const Shape& src = node(node(g).inputs[0]).shape;
    const SamePadding rows = same_padding(src.h, window.kernel_h, window.stride_h),
                      columns = same_padding(src.w, window.kernel_w, window.stride_w);
    file_pad = {rows.before, rows.after, columns.before, columns.after};
  }
  if (!(file_pad == window.pad)) note(s, "padding", fmt::format("{} ({})", text(file_pad), *padding), text(window.pad));
}

void Comparison::compare(int s, int g) {
  const Node& wanted = node(g);
  expect(s, "data format", "channels_last");
  if (std::holds_alternative<Input>(wanted.op)) {
    const std::array<int, 3> sizes{wanted.shape.h, wanted.shape.w, wanted.shape.c};
    const std::string* found = step(s).find("input shape");
    std::string expected;  // an unknown extent may be anything, and height and width of another size
    for (std::size_t i = 0, at = 0; i < 3 && found != nullptr; ++i) {
      const std::size_t end = std::min(found->find('x', at), found->size());
      const std::string extent = found->substr(std::min(at, found->size()), end - std::min(at, end));
      const bool any = extent == "?" || (other_size_ && i < 2);
      expected += (i > 0 ? "x" : "") + (any ? extent : std::to_string(sizes[i]));
      at = end + 1;
    }
    if (found != nullptr && *found != expected) {
      note(s, "input shape", *found, fmt::format("{}x{}x{}", sizes[0], sizes[1], sizes[2]));
    }
  } else if (const auto* norm = std::get_if<BatchNorm>(&wanted.op)) {
    const std::string* eps = step(s).find("epsilon");
    const double value = eps != nullptr ? std::strtod(eps->c_str(), nullptr) : norm->eps;
    if (!(std::abs(value - norm->eps) <= 1e-5 * norm->eps)) note(s, "epsilon", *eps, fmt::format("{:g}", norm->eps));
    const std::string* axis = step(s).find("axis");
    if (axis != nullptr && *axis != "-1") expect(s, "axis", "3");
    expect(s, "mode", "0");
    expect(s, "training", "false");
  } else if (const auto* relu = std::get_if<Relu>(&wanted.op)) {
    const std::string expected = relu->act == Activation::kRelu6 ? "relu6" : "relu";
    if (step(s).activation != expected) note(s, "activation", step(s).activation, expected);
  } else if (const auto* zeros = std::get_if<ZeroPad>(&wanted.op)) {
    expect(s, "padding", text(zeros->pad));
  } else if (std::holds_alternative<Concat>(wanted.op)) {
    const std::string* axis = step(s).find("axis");
    if (axis != nullptr && *axis != "-1") expect(s, "axis", "3");
  } else if (const auto* max = std::get_if<MaxPool>(&wanted.op)) {
    expect(s, "pool size", fmt::format("{}x{}", max->window.kernel_h, max->window.kernel_w));
    compare_window(s, max->window);
    compare_pool_padding(s, g, max->window);
  } else if (const auto* average = std::get_if<AvgPool>(&wanted.op)) {
    expect(s, "pool size", fmt::format("{}x{}", average->window.kernel_h, average->window.kernel_w));
    compare_window(s, average->window);
    compare_pool_padding(s, g, average->window);
  } else if (const auto* conv = std::get_if<Conv2D>(&wanted.op)) {
    compare_window(s, conv->window);
  } else if (const auto* depthwise = std::get_if<DepthwiseConv2D>(&wanted.op)) {
    compare_window(s, depthwise->window);
  } else if (const auto* separable = std::get_if<SeparableConv2D>(&wanted.op)) {
    compare_window(s, separable->window);
  }
}

void Comparison::run() {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const std::string* format = steps_[i].find("data format");
    if (format != nullptr && *format == "channels_first") {
      fail(
          "{}: layer '{}' has its channels first (data_format channels_first), expected channels_last; convert the "
          "model in Keras",
          file_.path, steps_[i].layer->name);
    }
  }
  constexpr const char* kAdvice = "the file describes another network, whose accuracy the built-in one would not show";
  if (!alike(result(), graph_.output())) {
    fail("{}: the model has {}; {}", file_.path, structure_, kAdvice);
  }
  if (differences_.empty()) return;
  // The first of each kind: one wrong epsilon is seldom alone.
  std::string more;
  std::set<std::string> named{differences_[0].setting};
  const auto say = [&](const Difference& d) {
    return fmt::format("layer '{}' has {} {}, {} has {}", d.layer, d.setting, d.file, graph_.name, d.graph);
  };
  for (const Difference& d : differences_) {
    if (named.size() < 3 && named.insert(d.setting).second) more += "; " + say(d);
  }
  fail("{}: {}{}{}; {}", file_.path, say(differences_[0]), more,
       differences_.size() > named.size() ? fmt::format("; {} differences in all", differences_.size()) : "", kAdvice);
}

}  // namespace

void check_config(const Graph& graph, const WeightFile& file, const std::vector<int>& matched, bool other_size) {
  if (!file.config.empty()) Comparison(graph, file, matched, other_size).run();
}

}  // namespace gpueval
