// SPDX-License-Identifier: Apache-2.0
// What to measure. Plain data: gpueval/session.h carries it out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/dataset.h"
#include "gpueval/precision.h"
#include "gpueval/preprocessing.h"
#include "gpueval/recipe.h"
#include "gpueval/task.h"

namespace gpueval {

struct ModelPlan {
  std::string name;                // of models(); empty with `file`
  std::string file;                // a full model that Keras saved (gpueval/keras.h)
  std::optional<double> alpha;     // absent: 1
  std::string weights;             // a file, "random", or empty: the published names are looked for
  std::uint64_t seed = 1;          // of random weights, and of synthetic images for timing
  std::optional<InputSize> input;  // absent: the network's own
};

struct DataPlan {
  std::string path;                  // as open_dataset() takes it; empty: the published pickles are looked for
  std::string labels;                // ground truth of a flat folder
  std::optional<std::size_t> limit;  // judge at most so many
  // Of pictures with boxes or label maps (open_annotated()).
  std::string split;              // empty: all
  std::string calibration_split;  // calibrates on all of it; empty: on some of the judged ones
  std::optional<ClassMap> map;    // of label maps
  PreprocessingChoice preprocessing;
};

// Of the static int8 schemes.
struct CalibrationPlan {
  std::string table;                  // a file of `gpu_eval calibrate`; empty: calibrates
  std::optional<std::size_t> images;  // absent: 128, of judged images at most a quarter
  std::string image;                  // a JPEG or PNG to calibrate on where there are no other images
};

// A row of the result: one lowered network on one device.
struct Row {
  Precision precision = Precision::kFloat32;
  RecipeRequest recipe = {};  // int8
  std::string kernel = {};    // forces one: EngineOptions::kernel

  bool calibrates() const;     // needs ranges: int8 of a static scheme
  std::string scheme() const;  // as asked for: "maxabs", "auto"; empty: of other precisions, or left open
};

struct AccuracyPlan {
  int batch = 16;                     // enough for full speed, small in memory
  bool required = false;              // no images: an Error instead of a note
  bool preprocess_on_device = false;  // where the device does that, of images that are only resized
  bool resume = false;                // continue the journal of a run that ended early
  std::string save_logits;            // .npy of the last row; empty: none
  std::string save_detections;        // COCO's result file (JSON) of the last row; empty: none
};

// What the last row computes, as NumPy files.
struct OutputsPlan {
  std::string folder;  // "<layer>.npy" of every output, "/" as "_"; empty: none
  std::string first;   // a file for the first output; empty: none. Of judged images AccuracyPlan::save_logits does it
  bool probabilities = false;  // behind the softmax or sigmoid that a file has at its outputs

  bool any() const { return !folder.empty() || !first.empty(); }
};

struct SpeedPlan {
  std::vector<int> batches{1};  // one after the other, each with all rows
  double warm_up_ms = 200, duration_s = 3;
  std::int64_t iterations = 10;
  std::vector<double> percentiles{50, 90, 99};
  bool include_transfers = false;  // devices with memory of their own
  std::string scenario;            // "", "offline", "single-stream" or "server" (gpueval/scenario.h)
  double latency_bound_ms = 15;    // server
};

// Pictures to look at: those that the first row and the last one answer most differently.
struct GalleryPlan {
  std::size_t pictures = 12;    // at most
  int side = 320;               // the longer one's pixels, of a picture that is shown
  std::size_t bytes = 700'000;  // of all that is kept, at most: a page holds it as text, a third longer
};

// One of several parts of the judged images, measured apart: merge() (gpueval/session.h) joins their results.
struct Shard {
  int index = 1, count = 1;  // index from 1
};

struct Plan {
  ModelPlan model;
  DataPlan data;
  CalibrationPlan calibration;
  std::vector<Row> rows{{Precision::kFloat32}, {Precision::kInt8}};  // every row is compared with the first
  std::string device = "auto";                                       // as make_engine() takes it
  bool cuda_graph = true;                                            // EngineOptions
  int chunk = 0;                                                     // EngineOptions
  bool overlap_launches = false;                                     // EngineOptions
  bool input_as_bytes = true;                                        // EngineOptions::pixels, where they are known
  std::optional<AccuracyPlan> accuracy;
  TaskOptions task;
  std::string
      anchors;  // of a built-in detector: "voc" or "coco", whose scales it was trained with; empty: its classes'
  std::optional<GalleryPlan> gallery;  // of a task with boxes or label maps whose accuracy is measured
  OutputsPlan outputs;
  std::optional<Shard> shard;  // of the accuracy part, which is then the only one
  std::optional<SpeedPlan> speed;
  std::optional<int> layers_batch;  // times each layer with such a batch, and measures the error of each int8 layer
};

}  // namespace gpueval
