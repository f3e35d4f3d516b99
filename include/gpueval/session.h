// SPDX-License-Identifier: Apache-2.0
// Carries out a Plan: loads the network and the images, calibrates, lowers every row, judges, times. Set the threads
// first (gpueval/engine.h). Errors are thrown; what was measured before a signal (core/stop_signal.h) is returned.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/accuracy.h"
#include "gpueval/engine.h"
#include "gpueval/latency.h"
#include "gpueval/models.h"
#include "gpueval/plan.h"
#include "gpueval/quant.h"
#include "gpueval/result.h"
#include "gpueval/selftest.h"

namespace gpueval {

// Told what happens, many times a second; it need not listen. Called by the thread that measures.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const std::string& /*text*/) {}  // a clause: "calibrating, 3 of 14"
  virtual void on_accuracy(const AccuracyProgress&) {}
  virtual void on_speed(const SpeedProgress&) {}
  virtual void on_note(const std::string& /*sentence*/) {}  // of the result's notes: those to be known at once
};

// Every part of the plan that can be measured. Throws Error naming what is wrong, Interrupted (core/stop_signal.h)
// where nothing was measured yet.
Report measure(const Plan& plan, Observer& observer);
// The result of all shards of a plan, in any order: equal to that of the undivided plan in every score, number and
// hash, but for logits_sha256, which is a sum from the first image to the last and left empty. Throws Error where one
// is missing, interrupted or of another measurement.
Report merge(std::vector<Report> shards);
// Answers that any engine gave, against their truth.
struct JudgePlan {
  std::string task;     // "detection", "segmentation"
  std::string truth;    // COCO's instances JSON, or a folder as open_annotated() takes it
  std::string split;    // of the folder; empty: all
  std::string answers;  // COCO's result file (JSON), or a folder of label maps (PNG) with the names of the pictures
  std::optional<ClassMap> map;  // of the truth's label maps
};
// One run with the accuracy that a measurement of these answers has. Error for an answer of a picture or class that the
// truth has not, and for a picture without a label map; a picture without detections has none.
Report judge_answers(const JudgePlan& plan);
// After the result was written: its journal is of no more use.
void forget_journal(const Report& report);

// The rows of the comparison with the original research: float32, its own scheme (twice where a network has depthwise
// layers, which it left in float32), maxabs and best. kernel: Row::kernel of each.
std::vector<Row> research_rows(const Graph& graph, const std::string& kernel = "");
// The plan for every network asked for, a width each: those of the plan's name (empty: all but the demo), of its alpha.
std::vector<Plan> plan_each_network(const Plan& plan);
// The same for each of these in its place, as set_network() takes them; none: for the plan's.
std::vector<Plan> plan_each_network(Plan plan, const std::vector<std::string>& names);
// One after the other. A network whose weights are looked for and not found is named in the result; what was measured
// before an error or a signal is returned with that. Throws where nothing was.
TableReport measure_networks(const std::vector<Plan>& plans, Observer& observer);

struct LoadedModel {
  std::shared_ptr<const ModelSpec> spec;
  Graph graph;  // with weights
  InputSpec input;
  bool normalization_known = true;  // false: of an imported network that does not tell; input.normalization is a guess
  // Name of the input in the file, where input.normalization is what the network did to its pixels itself: no longer in
  // `graph`.
  std::optional<std::string> pixel_chain;
  ModelReport report;
  std::vector<std::string> notes;  // whole sentences
  std::string weights_id;          // for calibration tables and journals: the file's SHA-256, or "random-<seed>"
};
LoadedModel load_model(const ModelPlan& plan);
Graph network_shape(const ModelPlan& plan);  // without weights
// What --model takes: the name of a network, or a file that Keras saved, which an ending or a slash tells.
void set_network(ModelPlan& plan, const std::string& name_or_file);
// What --precision and --scheme take: a row each precision, and of int8 each scheme ("best", "auto", ...; none: left
// open). common: what they share, its recipe's scheme aside. Usage error for a name that is unknown or stands there
// twice, and for corrections that contradict each other, unless plan.calibration has a table with the rest of the
// recipe.
void set_rows(Plan& plan, const std::vector<std::string>& precisions, const std::vector<std::string>& schemes,
              const Row& common = {});
// Usage error for what the plan's device is not or cannot do; it begins with the option's name: "no-cuda-graph is for".
void check_device(const Plan& plan);

// What a network is judged by.
struct JudgedBy {
  const Task* task = nullptr;  // null: nothing; why_not says why
  std::string why_not;         // a clause without its full stop
  TaskOptions options;
  std::unique_ptr<const Scorer> scorer;
  std::vector<std::string> classes;   // that the truth has to have; empty: its own
  std::vector<std::string> warnings;  // whole sentences
};

struct LoadedData {
  std::unique_ptr<Dataset> images;       // null: none given, none found
  std::unique_ptr<Dataset> calibration;  // a set of its own; null: some of `images`
  std::string missing;                   // why `images` is null: a whole sentence
};
LoadedData load_data(const Plan& plan, const ModelSpec& spec, const JudgedBy& judged);

struct LoweredRow {
  Row row;
  std::string scheme;  // "maxabs", "auto"; empty: not int8
  Graph graph;         // what an Engine runs
  std::optional<QuantizationReport> quantization;
  std::shared_ptr<const PixelTable> pixels = {};  // EngineOptions
};

// A plan's rows made ready to run: for programs that run the engines themselves.
struct Prepared {
  LoadedModel model;
  JudgedBy judged;
  LoadedData data;
  std::vector<LoweredRow> rows;
  CalibrationTable table;  // of the last row that needed one
  std::optional<CalibrationReport> calibration;
  std::vector<std::string> notes;  // whole sentences
};
Prepared prepare(const Plan& plan, Observer& observer);
std::unique_ptr<Engine> make_engine(const Plan& plan, const LoweredRow& row, int batch);

// The plan's first row as ONNX (gpueval/onnx_export.h). Error for int8 with weights that are not random where there are
// no images to calibrate on.
ExportedNetwork export_network(const Plan& plan, const std::string& path, Observer& observer);

// The plan's first row, calibrated on all of the images: what save_table() takes.
struct Calibrated {
  CalibrationTable table;
  CalibrationReport report;
  std::vector<std::string> notes;
};
Calibrated calibrate_network(const Plan& plan, Observer& observer);

// The likeliest classes of one picture. class_names: a file with one name a line; empty: ImageNet's for networks of its
// classes.
Classification classify(const Plan& plan, const std::string& image, const std::string& class_names, Observer& observer);

// Which layers lose the accuracy of int8 (gpueval/sensitivity.h). plan: its first int8 row; judges by plan.data.
struct SensitivityPlan {
  std::optional<double> target_loss_points;  // finds the layers to leave in float32; plan.speed times the networks
  std::optional<std::size_t> choosing_images;
};
SensitivityReport measure_sensitivity(const Plan& plan, const SensitivityPlan& sensitivity, Observer& observer);

// The self-test (gpueval/selftest.h) of some kernels in processes of this program.
SelftestResult test_kernels(const std::string& device, const std::vector<std::string>& kernels, Observer& observer);
// Before kernels are chosen on a GPU: of those that were not tested yet with its driver and this build. What comes of
// it are notes.
void test_new_kernels(const std::string& device, Observer& observer);

// The first of `names` in ~/.keras/models, $GPUEVAL_DATA and its sub-folders, or the current folder.
std::optional<std::string> find_file(const std::vector<std::string>& names);
// What a plan that does not name its weights or its images would read: the files that are found.
struct FoundFile {
  std::string what, path;  // "the weights", "the images"
};
std::vector<FoundFile> found_files(const Plan& plan);
std::string searched_places();  // for messages: "~/.keras/models, $GPUEVAL_DATA (not set) and the current folder"

}  // namespace gpueval
