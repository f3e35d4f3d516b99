// SPDX-License-Identifier: Apache-2.0
// Keras weight files: Keras 1 and 2 save_weights (with and without "/model_weights"), tf-keras and Keras 3 legacy
// ".h5", Keras 3 ".weights.h5" (or several, with a ".weights.json"), and the weights inside a ".keras" archive.
// docs/formats.md has the facts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval {

struct WeightArray {
  std::string name;  // as in the file: "conv1/kernel:0", "conv1_W:0", or "0", "1" in Keras 3 files
  Array array;
};
struct WeightLayer {
  std::string name;   // empty in a Keras 3 file that does not say it
  std::string group;  // Keras 3 files: "conv2d_12", the class and the rank in model.layers order within it; else empty
  std::vector<WeightArray> arrays;  // in the file's order
};
struct WeightFile {
  std::string path;
  std::string sha256;                  // of the file, hex; of split weights that of all files (docs/formats.md)
  std::string format;                  // "keras-h5", "keras-h5-model", "keras3-weights", "keras3-archive"
  std::vector<WeightLayer> layers;     // only those with weights, in the file's order
  std::string keras_version, backend;  // as the file says, else empty
  std::string config;                  // JSON; empty where the file does not describe its model
  bool has_layer(std::string_view name) const;
};

// Throws Error (one sentence: file, expected, found) for a missing, truncated or foreign file and for non-finite
// values.
WeightFile read_weight_file(const std::string& path);

// Matches the file's layers to the graph's by name, else by rank within a class of auto-numbered names, else in Keras's
// model.layers order; checks every shape, and that each variance + epsilon is positive. The result's params all have
// data. The graph must be as the builder made it. What the file says about its layers: check_description()
// (gpueval/keras.h).
Graph bind_weights(Graph graph, const WeightFile& file);

// Whether all of the file's shapes are the graph's.
bool fits(const Graph& graph, const WeightFile& file);
// Classes of a file that fits but for its last layer (a fine-tuned network); 0 for other files.
std::int64_t classes_of_other_head(const Graph& graph, const WeightFile& file);

// Seeded random weights for speed runs: He-scaled kernels, varied batch-norm statistics, gamma 0.2 in front of a
// residual add.
Graph random_weights(Graph graph, std::uint64_t seed);

// Indices of the graph's nodes that have weights, in Keras's own model.layers order (depth, then traversal).
std::vector<int> keras_layer_order(const Graph& graph);

}  // namespace gpueval
