// SPDX-License-Identifier: Apache-2.0
// One call of one layer, as those who import it see it.
#pragma once

#include <fmt/format.h>

#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gpueval/error.h"
#include "gpueval/graph.h"
#include "keras/config.h"
#include "keras/layer_weights.h"

namespace gpueval::keras {

// A tensor while the graph is built: its Keras shape without the batch (rank 1 to 3), and the node that holds it as
// (h, w, c): (a, b) as (a, 1, b), (c) as (1, 1, c).
struct Value {
  int node = -1;  // -1: of a layer that is not supported, or that reads one
  std::vector<int> shape;
  // Rows and columns of -infinity around what the node holds, which `shape` counts: only max pools read such a value.
  Padding beyond;
  // Whole numbers that are known, and no tensor of the graph: what tf.shape gives. -1: the batch.
  std::optional<std::vector<int>> numbers;

  int rank() const { return static_cast<int>(shape.size()); }
  int channels() const { return shape.back(); }
};
Shape physical(const std::vector<int>& shape);
std::int64_t count_of(const std::vector<int>& shape);

// A layer that cannot be imported: the rest of the sentence that names it.
class Unsupported : public Error {
 public:
  explicit Unsupported(const std::string& message) : Error(message) {}
};
template <typename... Args>
[[noreturn]] void unsupported(fmt::format_string<Args...> text, Args&&... args) {
  throw Unsupported(fmt::format(text, std::forward<Args>(args)...));
}

// The graph under construction.
class GraphParts {
 public:
  explicit GraphParts(std::string name) { graph.name = std::move(name); }
  // Error where nothing is left of the shape.
  int append(const std::string& name, Op op, std::vector<int> inputs, std::vector<Param> params = {});

  // The name, or "name#2", "name#3", ... where it is taken.
  std::string unique(const std::string& name);

  Graph graph;
  bool keras3 = false;             // what some defaults depend on
  bool archive = false;            // of a ".keras" file
  std::string keras_version;       // as the file says, else empty
  std::vector<std::string> notes;  // whole sentences for the user

 private:
  std::set<std::string> names_;
  std::int64_t made_ = 0;  // elements of weights that are not in the file as they are
};

struct LayerCall {
  GraphParts& parts;
  const Layer& layer;
  const Call& call;
  std::vector<Value> inputs;  // every tensor of the call, in order
  std::string name;           // of the node that is the layer's result; "outer/inner", of a second call "name#2"
  LayerWeights& weights;

  const Value& input() const;                  // the only one; Unsupported where there are more
  const Value& input_of_rank(int rank) const;  // the same, of so many dimensions beside the batch
  const Value& picture() const { return input_of_rank(3); }
  const Value& sequence() const { return input_of_rank(2); }

  // ---- settings: the first of these keys that is there and not null (Keras 1 had other names)
  const Json* setting(std::initializer_list<const char*> keys) const;
  int integer(std::initializer_list<const char*> keys, int otherwise) const;
  double number(std::initializer_list<const char*> keys, double otherwise) const;
  bool flag(std::initializer_list<const char*> keys, bool otherwise) const;
  std::string text(std::initializer_list<const char*> keys, const std::string& otherwise) const;
  std::array<int, 2> pair(std::initializer_list<const char*> keys, std::array<int, 2> otherwise) const;
  // 1, [1, 2], [[1, 1], [2, 2]]
  Padding borders(std::initializer_list<const char*> keys, int otherwise) const;
  // Of a function: among the settings, or a constant of the call; nullptr: not there.
  const Json* argument(std::size_t position, std::initializer_list<const char*> names) const;
  bool flag_argument(std::size_t position, std::initializer_list<const char*> names) const;
  // Of a function of one tensor: whole numbers among the settings, constants of the call, or shapes; null: -1. nullopt:
  // not there, or computed.
  std::optional<std::vector<int>> whole_numbers(std::size_t position, std::initializer_list<const char*> names) const;
  // Axes of a tensor of that rank, counted with the batch (0); each 1 to rank. Unsupported for the batch, and for none.
  std::vector<int> axes(const Json& value, int rank) const;

  // ---- nodes. suffix: behind the layer's name, for all but its last node
  Value append(Op op, const std::vector<Value>& sources, std::vector<int> shape, std::vector<Param> params = {},
               const std::string& suffix = "");
  // The same elements in another shape.
  Value reshaped(const Value& value, std::vector<int> shape);
  // order[i]: which axis (1 to rank) of the value axis i + 1 of the result is.
  Value permuted(const Value& value, const std::vector<int>& order, const std::string& suffix = "");
  Value swapped(const Value& value, int axis, int other, const std::string& suffix = "");  // axes: 1 to rank
  // gamma * x + beta, by the last extent; one number stands for all.
  Value affine(const Value& value, std::vector<double> gamma, std::vector<double> beta, const std::string& suffix = "");
  Value function(const Value& value, const Function& f, const std::string& suffix = "");
  // The setting `activation` behind a layer.
  Value activated(const Value& value);
};

Param param(Role role, Array array);
Param param(Role role, std::vector<float> values);  // of one dimension

// "relu", {"class_name": "ReLU", ...}, null
Value activation(LayerCall& call, const Value& value, const Json& activation, const std::string& suffix);

// of: 0 h, 1 w, 2 c
int physical_axis(int axis, int rank);  // axis: 1 to rank

}  // namespace gpueval::keras
