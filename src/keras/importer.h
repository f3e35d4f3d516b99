// SPDX-License-Identifier: Apache-2.0
// Walks a model from its outputs and makes a graph of it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gpueval/keras.h"
#include "keras/layer_call.h"

namespace gpueval::keras {

// With every output in front of its softmax or sigmoid, simplified.
KerasNetwork import_file(const KerasFile& file, const KerasOptions& options);
// Layers of a class that are not imported for one reason.
struct Refused {
  std::string kind, reason;
  std::vector<std::string> layers;
};
// "'conv' (Conv2D: ...); 'lam', 'lam_1', 'lam_2' and 7 more (Lambda: ...)"
std::string text_of(const std::vector<Refused>& refused);

// Layers that are not imported: those whose settings are not supported, and those whose class or function is not.
struct Unread {
  std::vector<Refused> unsupported, unknown;
  bool empty() const { return unsupported.empty() && unknown.empty(); }
};
[[noreturn]] void fail_unread(const Unread& unread, const std::string& file);

// The same of what the file describes. unread, unless null: where there are such layers, left are all tensors that do
// not depend on them, and outputs are those that nothing reads.
KerasNetwork import_model(const KerasFile& file, const Model& model, const KerasOptions& options,
                          Unread* unread = nullptr);

// The first of a model's inputs as the file has it, without the batch; -1: any extent. nullopt: it does not say.
struct RecordedInput {
  std::string layer = "input";
  std::optional<std::vector<int>> shape;
};
RecordedInput recorded_input(const Model& model);

class Importer {
 public:
  Importer(const KerasFile& file, const Model& model, const KerasOptions& options);
  KerasNetwork run(Unread* unread);

 private:
  // One use of a model: its own tensors, by layer and call.
  struct Use {
    const Model& model;
    std::vector<std::string> path;  // names of the models around, for weights
    std::string prefix;             // of nodes' names: "outer/inner#2/"
    std::vector<Value> inputs;
    std::map<std::pair<int, int>, std::vector<Value>> values;
  };

  std::vector<Value> run_model(Use& use);
  void compute(Use& use, int layer, int call);
  std::vector<Value> result_of(Use& use, int layer, int call, const std::vector<Value>& sources);
  std::vector<Value> import_layer(Use& use, const Layer& layer, const Call& call, int number,
                                  const std::vector<Value>& sources);
  std::vector<Value> enter_model(Use& use, const Layer& layer, int number, const std::vector<Value>& sources);
  std::vector<Value> input_of(Use& use, const Layer& layer) const;
  std::pair<int, int> place_of(const Use& use, const TensorRef& reference, bool in_outputs) const;
  void check_recorded(const Use& use, const Layer& reader, const TensorRef& reference, const Value& value) const;
  Value make_input();
  void note_policy(const Layer& layer);
  static void refuse(std::vector<Refused>& list, const Layer& layer, const std::string& reason);
  void set_outputs(const std::vector<Value>& values);
  void set_outputs_to_ends();

  const KerasFile& file_;
  const Model& model_;
  const KerasOptions& options_;
  WeightIndex weights_;
  GraphParts parts_;
  Unread unread_;
  bool narrow_ = false;              // a layer computes in 16 bits
  std::vector<std::string> models_;  // names
};

}  // namespace gpueval::keras
