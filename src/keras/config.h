// SPDX-License-Identifier: Apache-2.0
// What a file says about its model, in one form for all generations of Keras: layers, and the calls that connect them.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gpueval::keras {

using Json = nlohmann::json;

// Output `tensor` of call `node` of a layer of the same model.
struct TensorRef {
  std::string layer;
  int node = 0, tensor = 0;
  std::optional<std::vector<int>> shape;  // as recorded, without the batch; -1: any
};

struct Argument {
  std::optional<TensorRef> tensor;
  std::vector<Argument> list;  // of arguments with tensors among them
  Json constant;               // everything else, as it stands in the file

  void collect(std::vector<TensorRef>& tensors) const;  // appends all of its tensors, in order
};

struct Call {
  std::vector<Argument> args;
  std::vector<std::pair<std::string, Argument>> named;
  bool training = false;  // the model calls it as in training

  std::vector<TensorRef> tensors() const;
  const Argument* find(std::size_t position, std::initializer_list<const char*> names) const;
};

struct Model;

struct Layer {
  std::string name;
  std::string kind;  // its class without a package: "Conv2D", "my>Swish" -> "Swish"; Keras 1's in Keras 2's words
  std::string saved_class;  // as Keras names its group of weights: "Conv2D"
  std::string module;
  bool registered = false;  // its class has a package: "my>Swish"
  Json config;
  std::vector<Call> calls;
  std::shared_ptr<const Model> model;    // a model nested in this one
  std::shared_ptr<const Layer> wrapped;  // the layer that this one wraps
  // A function of TensorFlow or of keras.ops that was called on tensors, in the words of functions.inc; else empty.
  std::string function;
};

struct Model {
  std::string name;
  bool sequential = false;
  bool takes_first_call = false;  // its own input is the first of its calls: node indices of its own calls begin at 1
  bool keras3 = false;            // by the form of its calls
  std::vector<Layer> layers;
  std::vector<TensorRef> inputs, outputs;
  std::vector<std::string> output_names;        // where outputs are a dictionary; else empty
  std::optional<std::vector<int>> input_shape;  // of a Sequential that names none: as recorded, without the batch

  int find(const std::string& layer) const;  // index, or -1
  // The call that a reference to `layer` means; in_outputs: it stands in output_layers.
  int call_of(const TensorRef& reference, bool in_outputs) const;
};

constexpr std::size_t kMaxLayers = 20'000;

// json: config.json of an archive, or the attribute model_config. file: for messages. Throws Error for what is no
// description that Keras writes, and for a subclassed model, which has none.
Model parse_model(const std::string& json, const std::string& file);

}  // namespace gpueval::keras
