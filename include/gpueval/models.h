// SPDX-License-Identifier: Apache-2.0
// The networks. A network is one file in models/ and one line in models/models.inc.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/dataset.h"
#include "gpueval/graph.h"
#include "gpueval/preprocessing.h"
#include "gpueval/truth.h"
#include "gpueval/weights.h"

namespace gpueval {

struct ModelOptions {
  double alpha = 1.0;  // mobilenet's width
  // "": default. resnet50: "published" (keras-applications 1.0 file names) or "current". Networks that detect or
  // segment: "81_classes", for a file of so many.
  std::string variant;
  // Of the input; 0: the network's own. Networks that end in a global pooling take any from which a pixel is left.
  int height = 0, width = 0;

  int height_or(int own) const { return height == 0 ? own : height; }
  int width_or(int own) const { return width == 0 ? own : width; }
};

struct ModelSpec {
  std::string name;         // "inceptionv3"
  std::string description;  // one line: paper, year
  std::vector<double> alphas{1.0};
  std::function<Graph(const ModelOptions&)> build;  // usage error for a width, variant or input size that it has not
  InputSpec input;                                  // its own size and normalization
  LabelRules labels{1000, true};                    // its classes
  // What its outputs are judged by. Label maps: one output, a map of logits by class; one channel: the logit of what is
  // not background. Boxes: "mbox_loc" (priors x 1 x 4) and "mbox_conf" (priors x 1 x classes, logits; class 0 is the
  // background), or "boxes" and "classes" (logits of a sigmoid each, no background); cells row by row, map after map.
  TruthKind truth = TruthKind::kClass;
  std::optional<Fit> fit = {};  // its own, whatever the data are
  // Of detectors: its embedded priors (gpueval/priors.h), or what their names begin with, "_voc" and "_coco" behind it.
  std::string priors = {};
  // Which variant a weight file holds (by layer names); empty function: there is one only.
  std::function<std::string(const WeightFile&)> detect_variant;
  // Published file names, most usual first, e.g. "mobilenet_2_5_224_tf.h5"; looked for by --model without --weights.
  std::function<std::vector<std::string>(const ModelOptions&)> weight_files;
  bool built_in = true;      // false: of a file that Keras saved
  std::string published_at;  // where to get the file, in words and an address of the publisher's page
};

InputSpec input_spec(const ModelSpec& spec, const Graph& graph);  // the graph's shape, the network's normalization

const std::vector<ModelSpec>& models();                // every row of models.inc, in its order
const ModelSpec& find_model(const std::string& name);  // throws a usage error that lists the names

// A network as results name it: "vgg16", and of one that comes in several widths also "mobilenet_0.25".
struct ModelName {
  const ModelSpec* spec = nullptr;
  std::optional<double> alpha;
};
ModelName parse_model_name(const std::string& name);          // throws as find_model() does
std::string model_name(const ModelSpec& spec, double alpha);  // "mobilenet_0.25"; of width 1: "mobilenet"

}  // namespace gpueval
