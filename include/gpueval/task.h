// SPDX-License-Identifier: Apache-2.0
// A task: what is asked of a network's outputs on labelled images, and how its answers are judged. src/task/tasks.inc
// lists them; classification is in gpueval/classification.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "gpueval/dataset.h"
#include "gpueval/detector.h"
#include "gpueval/graph.h"
#include "gpueval/preprocessing.h"

namespace gpueval {

struct Interval {
  double low = 0, high = 0;
};

// What is kept of one image's outputs, in place of them: a few numbers, which only their task can read. Scores of
// images are listed in order, so those of parts of a run are joined end to end.
using Score = std::vector<double>;

// One image's outputs, float32 NHWC, in the order of the network's.
using ImageOutputs = std::span<const std::span<const float>>;

// How far outputs are from another network's, summed over images. An image's logits count without their mean, which
// changes no probability; images with a logit that is not finite in either are left out. A single logit x stands for
// two, 0 and x, of which softmax makes its sigmoid.
struct LogitError {
  double signal = 0, noise = 0, kl = 0;  // sums of squares; sum of KL(softmax(reference) || softmax(logits))
  std::int64_t images = 0;

  void add(std::span<const float> reference, std::span<const float> logits);
  void add(const LogitError& other);
  double sqnr_db() const;  // 10 log10(signal / noise); infinite for equal logits
  double mean_kl() const { return images == 0 ? 0 : kl / static_cast<double>(images); }
};

struct Metric {
  std::string name;                // "top-1"
  double value = 0;                // a fraction, the larger the better; NaN: nothing that it is of was judged
  std::optional<Interval> ci95{};  // by the image
};

// One row's part of an accuracy run.
struct AccuracyResult {
  std::int64_t images = 0, nan_images = 0;  // judged; of these with an output that holds a NaN, which is wrong
  std::vector<Metric> metrics;              // the task's, its headline first
  std::vector<Score> samples;               // of each judged image, in order
  std::vector<Score> pairs;                 // of each image's outputs against the first row's; none of the first row
  std::vector<std::string> image_sha256;    // of each judged image's outputs: 32 bytes, not text
  std::string logits_sha256;                // of all judged images' float32 outputs, in order; empty: of parts of a run
  std::string logits_tree_sha256;  // of all images' hashes, in order: parts of a run are joined to the very same

  double headline() const { return metrics.empty() ? 0 : metrics.front().value; }
};

// A metric of each class, where a task has one: of a class that the data set names, by its place among the names.
struct ClassValues {
  struct Of {
    int category = 0;
    std::optional<double> value;  // a fraction; absent: nothing of the class was judged
  };
  std::string metric;  // "IoU"; empty: of this task nothing is known by class
  std::vector<Of> classes;
};

// Precision at recalls of 0, .01 .. 1 and an IoU of .5, of a class with a truth.
struct ClassCurve {
  int category = 0;
  std::vector<double> precision;
};

// How far one picture's answer is from the first row's: 0 where nothing differs, and a clause on it.
struct PairDifference {
  double amount = 0;
  std::string text;
};

// How far a row's outputs are from the first row's.
struct Agreement {
  double share = 1;   // of the answers that are the same, right or wrong
  LogitError logits;  // images = 0: not measured
};

// A row against the first one, image by image.
struct PairedComparison {
  std::int64_t images = 0;
  double diff = 0;                   // of the headline, this row's - the first's
  Interval diff_ci95;                // of which
  int resamples = 0;                 // that the interval was found by; 0: it is a formula's
  std::optional<double> p;           // two-sided, of the task's test; absent: diff_ci95 tells
  double agreement = 1;              // fraction of the answers that are the same, right or wrong
  LogitError logits;                 // this row's against the first's; images = 0: not measured
  std::int64_t discordant_up = 0;    // images that this row alone has right, where a task knows right and wrong
  std::int64_t discordant_down = 0;  // that the first row alone has right
};

// A named number or text of a result, for whoever writes it down.
struct ResultField {
  std::string name;
  // An absent number of a list: of a class that does not occur.
  std::variant<std::monostate, std::int64_t, double, Interval, std::string, std::vector<std::string>,
               std::vector<std::optional<double>>>
      value;
};

// A picture that is judged.
struct JudgedImage {
  const Dataset& data;
  std::size_t index = 0;
  int height = 0, width = 0;  // of the picture; 0: of an array
  Geometry geometry = {};     // how it came to the network's input
};

// One output of a network, as its maker sees it.
struct NetworkOutput {
  std::string name, layer;  // "logits", and the layer whose tensor it is
  Shape shape;
  std::vector<int> extents;   // as Keras has it, without the batch
  std::string head = "none";  // what stands behind it in the file: "softmax", "sigmoid"
};

// How a task is asked for: plain data, of a plan.
struct TaskOptions {
  std::string name;                       // of tasks(); empty: told by the network and the data
  std::string priors;                     // detection: a JSON file, or the name of embedded ones
  std::string anchors;                    // detection: other priors, of which the boxes alone are taken; empty: none
  std::optional<double> score_threshold;  // detection: absent: as the priors say
  std::optional<double> nms_threshold;    // the same
  bool aligned = false;                   // segmentation: logits are upsampled with aligned corners, not by half pixels
  std::string save_masks;                 // segmentation: a folder for the last row's label maps; empty: none
};

// Turns a picture's outputs into scores. Thread-safe.
class Scorer {
 public:
  virtual ~Scorer() = default;
  // Error naming the first of images [first, first + count) whose truth is no answer of the network.
  virtual void check_truth(const Dataset& data, std::size_t first, std::size_t count) const = 0;
  // outputs: every row's of this picture. samples: one a row, against the truth; pairs: against the first row's, none
  // of the first itself.
  virtual void score(const JudgedImage& image, std::span<const ImageOutputs> outputs, std::span<Score> samples,
                     std::span<Score> pairs) const = 0;
  // Whether score() can have given it of this image: scores that come from a file are believed as little as any other.
  virtual bool possible(const Score& sample, const Dataset& data, std::size_t image) const = 0;
  virtual bool possible_pair(const Score& pair) const = 0;
  // The classes that the outputs give the picture's pixels; an internal error of a task without label maps.
  virtual LabelMap label_map(const JudgedImage& image, ImageOutputs outputs) const;
  // What stands between a picture's outputs and its answer, as a clause; empty: nothing that is worth timing.
  virtual std::string postprocessing() const { return ""; }
  // That work, with another threshold of the scores than the task's own where one is given.
  virtual void postprocess(ImageOutputs /*outputs*/, std::optional<double> /*score_threshold*/ = {}) const {}
  virtual std::vector<std::string> class_names() const { return {}; }  // that the truth has to have, in order
  // Files that could not be written, each once: scoring went on without them.
  virtual std::vector<std::string> output_errors() const { return {}; }
  // What postprocess() needs, for a device that can do it itself (Engine::detection()); absent: of other tasks.
  virtual std::optional<Detector> detector(std::optional<double> /*score_threshold*/ = {}) const { return {}; }
};

class Task {
 public:
  virtual ~Task() = default;
  virtual std::string name() const = 0;  // "classification"
  virtual TruthKind truth() const = 0;   // what its data sets have
  // Of networks with these outputs, whose input is `input`. Error for a network that cannot answer.
  virtual std::unique_ptr<Scorer> scorer(const Shape& input, std::span<const NetworkOutput> outputs,
                                         const TaskOptions& options) const = 0;

  virtual std::vector<std::string> metric_names() const = 0;  // the headline first: "top-1", "top-5"
  // Whether a network of so many classes can be wrong by that metric: of five classes top-5 is always right.
  // classes = 0: not known.
  virtual bool tells(std::size_t /*metric*/, int /*classes*/) const { return true; }
  virtual void summarise(AccuracyResult& result) const = 0;  // images, nan_images and metrics from samples
  // The first metric alone; absent: nothing that it is of was judged.
  virtual std::optional<double> headline(std::span<const Score> samples) const = 0;
  virtual bool headline_is_quick(std::size_t /*images*/) const { return true; }  // enough for a line of progress
  virtual Agreement agreement(std::span<const Score> pairs) const = 0;
  virtual PairedComparison compare(const AccuracyResult& first, const AccuracyResult& second) const = 0;
  // What the headline is the mean of. Classes ascend.
  virtual ClassValues by_class(const AccuracyResult& /*result*/) const { return {}; }
  virtual std::vector<ClassCurve> curves(const AccuracyResult& /*result*/) const { return {}; }
  virtual PairDifference difference(const Score& /*pair*/) const { return {}; }
  // Why the row's numbers are doubtful as a whole: a sentence.
  virtual std::optional<std::string> doubt(const std::string& row, const AccuracyResult& result, int classes) const = 0;

  virtual std::string same_answer() const = 0;  // what agreement counts: "same top-1 class"
  // What "diff", "p", "agree" and the interval are, for the reader of a table. first: the first row's name.
  virtual std::string legend(const std::string& first) const = 0;
  // The fields of a result's `accuracy` and `vs_first`, in order.
  virtual std::vector<ResultField> fields(const AccuracyResult& result) const = 0;
  virtual std::vector<ResultField> fields(const PairedComparison& paired) const = 0;
};

std::span<const Task* const> tasks();
const Task& find_task(const std::string& name);  // Error that lists the names if there is none

}  // namespace gpueval
