// SPDX-License-Identifier: Apache-2.0
// The arrays of one layer, bound by path and by name, never by the order of layers.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/weights/keras_file.h"
#include "keras/config.h"

namespace gpueval::keras {

class LayerWeights {
 public:
  enum class Form {
    kNamed,     // in any order, with names that say what they are
    kNumbered,  // in Keras's order
    kWrapped,   // named, with others among them that belong to a wrapper of training
    kAbsent,    // the file has none at all, and shapes do
  };
  LayerWeights(std::string where, std::vector<const WeightArray*> arrays, Form form)
      : where_(std::move(where)), arrays_(std::move(arrays)), form_(form) {}

  // The array of one of these names ("kernel", "W"), in the order in which Keras made them. Error for one that is not
  // there or of another shape.
  Array take(std::initializer_list<const char*> names, const std::vector<std::int64_t>& shape);
  // Of any shape; nullopt: not there, or integers.
  std::optional<Array> take_if_there(std::initializer_list<const char*> names);
  bool has(std::initializer_list<const char*> names) const;
  // A second call of the layer takes them again.
  void rewind() { next_ = 0; }
  // Error where an array with data was never taken.
  void check_all_taken() const;
  std::int64_t elements() const;  // of all arrays that were taken

 private:
  const WeightArray* find(std::initializer_list<const char*> names) const;
  const WeightArray* next(std::initializer_list<const char*> names);

  std::string where_;
  std::vector<const WeightArray*> arrays_;
  Form form_;
  std::size_t next_ = 0;
  std::set<const WeightArray*> taken_;
  std::int64_t absent_elements_ = 0;
};

// Of all layers of a file.
class WeightIndex {
 public:
  // shapes_only: no layer has numbers.
  WeightIndex(const KerasFile& file, const Model& model, bool shapes_only);
  // path: names of the nested models and of the layer, from the outside.
  LayerWeights& of(const std::vector<std::string>& path);
  // Once a network is imported.
  void check_all_taken() const;
  std::int64_t parameters() const;

 private:
  void add_archive(const Model& model, const std::string& where, const std::vector<std::string>& path);
  void add_layer(const Layer& layer, const std::string& where, std::vector<std::string> path);
  void add_named(const Model& model);

  const KerasFile& file_;
  bool shapes_only_;
  std::map<std::string, const WeightGroup*> groups_;
  std::map<std::vector<std::string>, LayerWeights> layers_;
};

}  // namespace gpueval::keras
