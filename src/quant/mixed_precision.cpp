// SPDX-License-Identifier: Apache-2.0
#include "quant/mixed_precision.h"

#include <algorithm>
#include <utility>

#include "gpueval/error.h"
#include "graph/op_row.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

// Moves and functions of single elements.
bool keeps_elements(const Op& op) {
  return std::holds_alternative<Concat>(op) || std::holds_alternative<Reshape>(op) ||
         std::holds_alternative<Permute>(op) || std::holds_alternative<Slice>(op) ||
         std::holds_alternative<ZeroPad>(op) || std::holds_alternative<Activate>(op);
}

// Its sums can leave as float32, which is not clamped above.
bool gives_float(const Node& node) {
  const Activation* act = fused_activation(node.op);
  return op_row(node.op).form == OpForm::kInt8Logits && node.inputs.size() == 1 &&
         (act == nullptr || *act == Activation::kNone || *act == Activation::kRelu);
}

class MixedPrecision {
 public:
  explicit MixedPrecision(Graph typed)
      : old_(std::move(typed)),
        leaves_as_float_(old_.nodes.size(), false),
        float_form_(old_.nodes.size(), -1),
        integer_form_(old_.nodes.size(), -1) {
    new_.name = old_.name;
  }

  Graph run(std::span<const std::string> layers) {
    mark(layers);
    mark_heads();
    drop_zero_points();
    float_form_[0] = append(old_.nodes[0]);
    float_form_[1] = 0;  // what node 1 quantizes is the input
    in_float_[0] = true;
    for (std::size_t i = 2; i < old_.nodes.size(); ++i) {
      Node node = old_.nodes[i];
      if (std::holds_alternative<Dequantize>(node.op)) {  // an output that other layers read
        in_float_[i] = true;
        float_form_[i] = as_float(node.inputs[0]);
        continue;
      }
      for (int& input : node.inputs) input = in_float_[i] ? as_float(input) : as_integer(input);
      if (in_float_[i] || leaves_as_float_[i]) node.type = TensorType{};
      (in_float_[i] ? float_form_ : integer_form_)[i] = append(std::move(node));
      if (leaves_as_float_[i]) float_form_[i] = integer_form_[i];
    }
    for (const GraphOutput& out : old_.outputs) {
      const auto old = static_cast<std::size_t>(out.node);
      new_.outputs.push_back({out.name, in_float_[old] ? float_form_[old] : integer_form_[old]});
    }
    return std::move(new_);
  }

 private:
  void mark(std::span<const std::string> layers) {
    in_float_.assign(old_.nodes.size(), false);
    for (const std::string& name : layers) {
      // One Keras layer may have become two.
      const bool found = mark(name) || (mark(name + "/depthwise") && mark(name + "/pointwise"));
      if (!found) fail("{} has no convolution or dense layer '{}' to leave in float32", old_.name, name);
    }
    if (const int affine = pixel_affine(old_); affine >= 0) in_float_[static_cast<std::size_t>(affine)] = true;
    for (std::size_t i = 2; i < old_.nodes.size(); ++i) {
      const OpForm form = op_row(old_.nodes[i].op).form;
      const bool is_output = old_.is_output(static_cast<int>(i));  // which is float32 in any case
      if (!has_int8_form(form) || (is_output && form != OpForm::kInt8Logits)) in_float_[i] = true;
      if (in_float_[i] || conv_desc(old_, static_cast<int>(i))) continue;
      const std::vector<int>& inputs = old_.nodes[i].inputs;
      in_float_[i] = std::all_of(inputs.begin(), inputs.end(), [&](int input) {
        return in_float_[static_cast<std::size_t>(input)];  // the quantized input (1) is integer
      });
    }
  }

  // What only stands between integer layers and outputs, which are float32: a head's layer gives it its sums as they
  // are.
  void mark_heads() {
    const auto consumers = old_.consumers();
    std::vector<bool> head(old_.nodes.size(), false);
    for (std::size_t i = old_.nodes.size(); i-- > 2;) {
      const Node& node = old_.nodes[i];
      const std::vector<int>& readers = consumers[i];
      const bool is_output = old_.is_output(static_cast<int>(i));
      const bool only_heads = !readers.empty() && !is_output &&
                              std::all_of(readers.begin(), readers.end(),
                                          [&](int reader) { return head[static_cast<std::size_t>(reader)]; });
      const bool computes = conv_desc(old_, static_cast<int>(i)).has_value();
      head[i] = in_float_[i] ? !computes && (is_output || only_heads) : only_heads && keeps_elements(node.op);
      if (head[i]) in_float_[i] = true;
      leaves_as_float_[i] = !in_float_[i] && only_heads && gives_float(node);
    }
  }

  // Quantize and Dequantize know none: a tensor between float32 and an integer layer is s8 instead.
  void drop_zero_points() {
    const auto consumers = old_.consumers();
    for (std::size_t i = 0; i < old_.nodes.size(); ++i) {
      TensorType& type = old_.nodes[i].type;
      if (type.zero_point == 0) continue;
      const bool converted = in_float_[i] || std::any_of(consumers[i].begin(), consumers[i].end(), [&](int reader) {
                               return in_float_[static_cast<std::size_t>(reader)];
                             });
      if (!converted) continue;
      const auto largest = static_cast<float>(std::max(type.zero_point, 255 - type.zero_point));
      type = {DType::kS8, {type.scale[0] * largest / 127.0f}};
    }
  }

  bool mark(const std::string& name) {
    const int node = old_.find(name);
    if (node < 0 || !conv_desc(old_, node)) return false;
    in_float_[static_cast<std::size_t>(node)] = true;
    return true;
  }

  int append(Node node) {
    new_.nodes.push_back(std::move(node));
    return static_cast<int>(new_.nodes.size()) - 1;
  }

  int as_float(int old) {
    int& form = float_form_[static_cast<std::size_t>(old)];
    if (form < 0) {
      const Node& node = old_.node(old);
      form = append({.name = node.name + "/dequantize",
                     .op = Dequantize{},
                     .inputs = {integer_form_[static_cast<std::size_t>(old)]},
                     .shape = node.shape});
    }
    return form;
  }

  int as_integer(int old) {
    int& form = integer_form_[static_cast<std::size_t>(old)];
    if (form < 0) {
      const Node& node = old_.node(old);
      form = append({.name = old == 1 ? node.name : node.name + "/quantize",
                     .op = Quantize{},
                     .inputs = {float_form_[static_cast<std::size_t>(old)]},
                     .shape = node.shape,
                     .type = node.type});
    }
    return form;
  }

  Graph old_, new_;
  std::vector<bool> in_float_, leaves_as_float_;
  std::vector<int> float_form_, integer_form_;  // of each old node's tensor in the new graph; -1: not (yet) there
};

}  // namespace

Graph keep_in_float(Graph typed, std::span<const std::string> layers) {
  return MixedPrecision(std::move(typed)).run(layers);
}

int pixel_affine(const Graph& typed) {
  const std::vector<int> readers = typed.consumers()[1];
  if (readers.size() != 1 || typed.is_output(1)) return -1;
  const auto* affine = std::get_if<Affine>(&typed.node(readers[0]).op);
  return affine != nullptr && affine->act == Activation::kNone ? readers[0] : -1;
}

bool runs_in_float(const Graph& graph, const Node& node) {
  if (node.type.dtype != DType::kF32 || node.inputs.empty()) return false;
  const bool reads_float = graph.node(node.inputs[0]).type.dtype == DType::kF32;
  return reads_float || std::holds_alternative<Dequantize>(node.op);
}

}  // namespace gpueval
