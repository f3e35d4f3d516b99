// SPDX-License-Identifier: Apache-2.0
#include "gpueval/keras.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "gpueval/error.h"
#include "keras/importer.h"
#include "keras/simplify.h"

namespace gpueval {
namespace {

Head head_of(const Op& op) {
  if (std::holds_alternative<Softmax>(op)) return Head::kSoftmax;
  const auto* activate = std::get_if<Activate>(&op);
  return activate != nullptr && activate->function.kind == FunctionKind::kSigmoid ? Head::kSigmoid : Head::kNone;
}

// Outputs give what goes into a softmax or a sigmoid: it changes no order, and int8 need not compute it.
std::vector<Head> strip_heads(Graph& graph) {
  std::vector<Head> heads;
  for (GraphOutput& out : graph.outputs) {
    heads.push_back(head_of(graph.node(out.node).op));
    if (heads.back() != Head::kNone) out.node = graph.node(out.node).inputs[0];
  }
  return heads;
}

// Whether what reads the picture scales or shifts it, reverses its channels or takes some: behind what resizes or
// crops.
bool prepares_pixels(const Graph& graph, int picture = 0) {
  const std::vector<int> readers = graph.consumers()[static_cast<std::size_t>(picture)];
  return !readers.empty() && std::all_of(readers.begin(), readers.end(), [&](int reader) {
    const Op& op = graph.node(reader).op;
    if (std::holds_alternative<Affine>(op)) return true;
    if (std::holds_alternative<ResizeNearest>(op) || std::holds_alternative<ResizeLinear>(op))
      return prepares_pixels(graph, reader);
    const auto* slice = std::get_if<Slice>(&op);
    if (slice == nullptr) return false;
    return slice->step.c < 0 || slice->size.c != graph.input_node().shape.c || prepares_pixels(graph, reader);
  });
}

}  // namespace

KerasNetwork keras::import_file(const KerasFile& file, const KerasOptions& options) {
  if (file.config.empty()) {
    fail(
        "{}: holds weights alone, not the network they are of; give the file that model.save() writes, or name a "
        "built-in "
        "network and this file as its weights (--model NAME --weights FILE)",
        file.path);
  }
  return import_model(file, parse_model(file.config, file.path), options);
}

KerasNetwork keras::import_model(const KerasFile& file, const Model& model, const KerasOptions& options,
                                 Unread* unread) {
  KerasNetwork network = Importer(file, model, options).run(unread);
  network.heads = strip_heads(network.graph);
  network.graph = simplify(std::move(network.graph));
  if (!std::holds_alternative<Input>(network.graph.nodes.front().op)) {
    fail("{}: its outputs do not depend on its input", file.path);
  }
  network.prepares_pixels = prepares_pixels(network.graph);
  return network;
}

std::string to_string(Head head) {
  return head == Head::kSoftmax ? "softmax" : head == Head::kSigmoid ? "sigmoid" : "none";
}

KerasNetwork import_keras(const std::string& path, const KerasOptions& options) {
  return keras::import_file(read_keras_file(path), options);
}

KerasNetwork import_keras(std::span<const std::byte> bytes, const std::string& name, const KerasOptions& options) {
  return keras::import_file(read_keras_bytes(bytes, name), options);
}

bool describes_model(const std::string& path) {
  try {
    return !read_keras_file(path).config.empty();
  } catch (const Error&) {
    return false;
  }
}

std::optional<Normalization> usual_normalization(const KerasNetwork& network) {
  if (network.prepares_pixels) return Normalization::kNone;
  struct Family {
    std::string_view begin;
    Normalization::Kind kind;
  };
  // As keras.applications names its models. Longer beginnings first.
  static constexpr std::array<Family, 16> kFamilies{{{"vgg16", Normalization::kCaffe},
                                                     {"vgg19", Normalization::kCaffe},
                                                     {"resnet50v2", Normalization::kTf},
                                                     {"resnet101v2", Normalization::kTf},
                                                     {"resnet152v2", Normalization::kTf},
                                                     {"resnet50", Normalization::kCaffe},
                                                     {"resnet101", Normalization::kCaffe},
                                                     {"resnet152", Normalization::kCaffe},
                                                     {"inception_v3", Normalization::kTf},
                                                     {"inception_resnet_v2", Normalization::kTf},
                                                     {"xception", Normalization::kTf},
                                                     {"mobilenet_", Normalization::kTf},
                                                     {"mobilenetv2_", Normalization::kTf},
                                                     {"NASNet", Normalization::kTf},
                                                     {"nasnet", Normalization::kTf},
                                                     {"densenet", Normalization::kTorch}}};
  for (const std::string& name : network.layers) {
    for (const Family& family : kFamilies) {
      if (name.starts_with(family.begin)) return Normalization(family.kind);
    }
  }
  return std::nullopt;
}

}  // namespace gpueval
