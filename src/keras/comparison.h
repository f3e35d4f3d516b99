// SPDX-License-Identifier: Apache-2.0
// Two networks compared from their ends to their inputs.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval::keras {

// The form in which networks are compared: layers in one spelling, padding in the windows that see it.
Graph canonical(Graph graph);

// A setting in which two layers differ.
struct Difference {
  std::string layer, setting, file, built;
};

class Comparison {
 public:
  // Both canonical. layers: of nodes of `built` with weights the layer of the file that these are from, where it has a
  // name.
  Comparison(const Graph& file, const Graph& built, std::map<std::string, std::string> layers)
      : file_(file), built_(built), layers_(std::move(layers)) {}

  // Whether node s of the file does what node g of the network does, as far as operations and what they read go.
  bool alike(int s, int g);
  // The first place at which they are not: "'p' (AvgPool) where toy has 'p' (MaxPool)".
  const std::string& other() const { return other_; }
  // Of two nodes that are alike: notes the differences of all layers up to them.
  void collect(int s, int g);
  // Of all that was collected: the first layers first. What follows from a setting alone, a shape, is none.
  const std::vector<Difference>& differences() const { return differences_.empty() ? shapes_ : differences_; }
  // The layer with the weights of this node; empty: it has none, or none with a name.
  std::string layer_of(const Node& built) const;

 private:
  bool same_weights(int s, int g) const;
  bool same_kind(int s, int g) const;
  bool differ(int s, int g);
  bool inputs_alike(int s, int g);
  bool in_order(const std::vector<int>& sources, const std::vector<int>& built);
  bool fail_at(const std::string& file, const std::string& built);
  void compare(const Node& s, const Node& g);

  const Graph &file_, &built_;
  const std::map<std::string, std::string> layers_;
  std::map<std::pair<int, int>, bool> compared_;
  std::map<std::pair<int, int>, bool> turned_;  // whether the sources are alike in the other order
  std::set<std::pair<int, int>> collected_;
  std::vector<Difference> differences_, shapes_;
  std::string other_;
};

}  // namespace gpueval::keras
