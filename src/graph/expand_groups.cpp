// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "gpueval/error.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

template <typename T>
std::vector<T> part_of(const std::vector<T>& values, int part, int parts) {
  const auto size = static_cast<std::ptrdiff_t>(values.size()) / parts;
  return {values.begin() + part * size, values.begin() + (part + 1) * size};
}

// Of the last extent, of which `parts` parts lie side by side.
Param columns_of(const Param& param, int part, int parts) {
  Param own = param;
  own.array.shape.back() /= parts;
  if (param.array.data == nullptr) return own;
  const auto columns = static_cast<std::ptrdiff_t>(own.array.shape.back());
  std::vector<float> values;
  for (auto row = param.array.data->begin(); row != param.array.data->end(); row += columns * parts) {
    values.insert(values.end(), row + part * columns, row + (part + 1) * columns);
  }
  own.array.data = std::make_shared<const std::vector<float>>(std::move(values));
  return own;
}

TensorType part_of(const TensorType& type, int part, int parts) {
  TensorType own = type;
  if (type.scale.size() > 1) own.scale = part_of(type.scale, part, parts);
  return own;
}

IntegerOp part_of(const IntegerOp& op, int part, int parts) {
  IntegerOp own = op;
  own.weights = std::make_shared<const std::vector<std::int8_t>>(part_of(*op.weights, part, parts));
  own.m = part_of(op.m, part, parts);
  own.b = part_of(op.b, part, parts);
  return own;
}

class Expansion {
 public:
  explicit Expansion(Graph graph) : old_(std::move(graph)), expanded_{.name = old_.name, .nodes = {}} {
    std::vector<int> position;
    const auto moved = [&](int& node) { node = position[static_cast<std::size_t>(node)]; };
    for (Node& node : old_.nodes) {
      for (int& input : node.inputs) moved(input);
      const auto* conv = std::get_if<Conv2D>(&node.op);
      position.push_back(conv != nullptr && conv->groups > 1 ? expand(node, conv->groups) : append(std::move(node)));
    }
    for (const int last : position) {  // what these write into comes later: known now
      if (expanded_.node(last).slice_of >= 0) moved(expanded_.node(last).slice_of);
    }
    for (GraphOutput& out : old_.outputs) moved(out.node);
    expanded_.outputs = std::move(old_.outputs);
  }
  Graph take() { return std::move(expanded_); }

 private:
  int append(Node node) {
    expanded_.nodes.push_back(std::move(node));
    return static_cast<int>(expanded_.nodes.size()) - 1;
  }

  int slice(const std::string& name, int source, int part, int parts) {
    const Node& src = expanded_.node(source);
    Shape shape = src.shape;
    shape.c /= parts;
    return append({.name = name,
                   .op = Slice{{0, 0, part * shape.c}, {1, 1, 1}, {shape.h, shape.w, shape.c}},
                   .inputs = {source},
                   .shape = shape,
                   .type = part_of(src.type, part, parts)});
  }

  int expand(const Node& whole, int groups) {
    if (whole.integer && whole.integer->dynamic) {
      fail("layer '{}' of {} has groups, which scheme reference has on the CPU only", whole.name, old_.name);
    }
    std::vector<int> convs;
    for (int g = 0; g < groups; ++g) {
      Node conv = whole;
      conv.name = fmt::format("{}/group{}", whole.name, g + 1);
      std::get<Conv2D>(conv.op).groups = 1;
      conv.shape.c /= groups;
      for (std::size_t i = 0; i < whole.inputs.size(); ++i) {
        conv.inputs[i] = slice(fmt::format("{}/input{}", conv.name, i + 1), whole.inputs[i], g, groups);
      }
      for (Param& param : conv.params) param = columns_of(param, g, groups);
      conv.type = part_of(whole.type, g, groups);
      if (whole.integer) conv.integer = part_of(*whole.integer, g, groups);
      convs.push_back(append(std::move(conv)));
    }
    Node all{.name = whole.name, .op = Concat{}, .inputs = convs, .shape = whole.shape, .type = whole.type};
    all.slice_of = whole.slice_of;
    all.slice_offset = whole.slice_offset;
    const bool in_place = whole.type.dtype != DType::kF32;
    if (in_place) {
      all.integer = IntegerOp{.lo = whole.integer->lo, .hi = whole.integer->hi};
      all.integer->input_factors.assign(convs.size(), 1.0f);
    }
    const int index = append(std::move(all));
    for (int g = 0; g < groups; ++g) {
      Node& conv = expanded_.node(convs[static_cast<std::size_t>(g)]);
      conv.slice_of = in_place ? index : -1;
      conv.slice_offset = in_place ? g * conv.shape.c : 0;
    }
    return index;
  }

  Graph old_, expanded_;
};

}  // namespace

Graph expand_groups(Graph graph) {
  const auto has_groups = [](const Node& node) {
    const auto* conv = std::get_if<Conv2D>(&node.op);
    return conv != nullptr && conv->groups > 1;
  };
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), has_groups) ? Expansion(std::move(graph)).take() : graph;
}

}  // namespace gpueval
