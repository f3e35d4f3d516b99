// SPDX-License-Identifier: Apache-2.0
// Any network that Keras saved as a whole: ".keras" archives and full-model ".h5" files of Keras 1, 2 and 3, tf.keras
// and tf-keras. docs/keras.md has what is read and how.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpueval/graph.h"
#include "gpueval/preprocessing.h"
#include "gpueval/weights.h"

namespace gpueval {

// What stood behind an output and was taken off: the graph gives what goes into it.
enum class Head { kNone, kSoftmax, kSigmoid };
std::string to_string(Head head);  // "none", "softmax", "sigmoid"

struct KerasNetwork {
  Graph graph;       // with weights; outputs are named as their Keras layers
  std::string name;  // as the file says
  std::string file, sha256;
  std::string keras_version;             // as the file says, else empty
  std::vector<Head> heads;               // of each output
  std::vector<std::vector<int>> shapes;  // of each, as Keras has it, without the batch
  std::int64_t parameters = 0;           // as Keras's model.count_params(), without integers
  bool prepares_pixels = false;          // begins with layers that scale, shift or normalise its input
  std::vector<std::string> layers;       // names of all models in it, the outermost first: what tells its family
  std::vector<std::string> notes;        // whole sentences: what was assumed
};

struct KerasOptions {
  std::optional<InputSize> input;  // for networks that leave it open, or in place of the file's
  bool weights = true;             // false: shapes alone, for a look at the network
};

// Throws Error (one sentence: file, expected, found), for layers that are not supported with all of them.
KerasNetwork import_keras(const std::string& path, const KerasOptions& options = {});
KerasNetwork import_keras(std::span<const std::byte> bytes, const std::string& name, const KerasOptions& options = {});

// Compares what a weight file says about its network (WeightFile::config) with a built-in one, as its builder made it,
// from the outputs to the inputs. Layers that do nothing at inference, the softmax behind the logits, and the many ways
// to write one padding, pool or order of elements are no differences; nor, with other_size, are height and width of the
// input. Of a network with layers of unknown classes (Lambda, classes of one's own) behind all that have weights, what
// stands in front of them is compared. Throws Error that names the layer, what the file says and what the network has;
// gives whole sentences for the user: what was not compared.
std::vector<std::string> check_description(const Graph& graph, const WeightFile& file, bool other_size = false);

// Whether a file is a whole model, and not weights alone; false for what cannot be read.
bool describes_model(const std::string& path);

// The normalization with which a network of keras.applications was trained, by the name of a model in it; nullopt: not
// known.
std::optional<Normalization> usual_normalization(const KerasNetwork& network);

// Every class of layer and every function, for `gpu_eval list layers`.
struct KerasSupport {
  std::string name, kind;  // "Conv2D"; "layer" or "function"
  std::string int8;        // "int8", "float32", "-": nothing is computed
};
std::vector<KerasSupport> keras_support();

}  // namespace gpueval
