// SPDX-License-Identifier: Apache-2.0
// A finished measurement (gpueval/session.h makes it, gpueval/report.h shows it).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/accuracy.h"
#include "gpueval/conditions.h"
#include "gpueval/engine.h"
#include "gpueval/latency.h"
#include "gpueval/plan.h"
#include "gpueval/roofline.h"
#include "gpueval/scenario.h"
#include "gpueval/sensitivity.h"
#include "gpueval/truth.h"
#include "gpueval/verdict.h"

namespace gpueval {

struct ToolInfo {
  std::string version, revision;  // "0.1.0", git revision of the build ("unknown" outside a repository)
};
ToolInfo tool_info();

struct HostInfo {
  std::string cpu;  // "Intel(R) Xeon(R) Processor"
  int cores = 0;    // logical, usable by this process
  int threads = 0;  // used
  std::string os, compiler;
  std::string gpu = {}, driver = {}, cuda = {}, cudnn = {};  // name and versions; empty: not there
  std::string gpu_bus_id = {};                               // on PCI: "0000:1b:00.0"
  std::optional<double> cpu_quota = {};                      // cores' worth of CPU time; absent: no quota
  std::vector<std::string> notes = {};                       // sentences on what decides the number of threads
};
// device: whose GPU, where it has one; else the first GPU's.
HostInfo host_info(const std::string& device = {});

struct ModelReport {
  std::string name;  // "mobilenet", or an imported network's own
  double alpha = 1;
  bool has_alpha = false;  // the network comes in several widths
  std::string variant;     // "" or which of two networks the weight file's names tell
  Shape input;
  int classes = 0;
  std::int64_t parameters = 0, multiply_adds = 0;
  std::string weights;                // path, "random" or "embedded"
  std::string weights_sha256;         // of the file; empty for random weights
  std::optional<std::uint64_t> seed;  // of random weights
  using Output = NetworkOutput;
  std::vector<Output> outputs = {};
};

// Judged images; absent where accuracy was not measured.
struct DataReport {
  std::string path, kind, preprocessing;
  std::size_t first = 0, count = 0;  // the first judged image of the data, and how many are judged
  std::string target_sha256;         // of their labels
  std::vector<SkippedImage> skipped;
  std::size_t replayed = 0;
  double seconds = 0;
  std::string preprocessed_on = "host";  // or "device"
  std::string label_mapping = {};        // how labels became class ids: GroundTruth::mapping
  // Without the calibration images, the judged ones need not be next to each other.
  std::size_t last = 0, size = 0;             // the last judged image; images of the whole data
  std::string indices_sha256 = {};            // of their numbers
  std::string split = {};                     // of pictures with boxes or label maps
  std::vector<std::string> class_names = {};  // of these
};

// How int8 weights and activations were found.
struct QuantizationReport {
  std::string scheme;                    // never "auto": what it picked
  std::string activations;               // "u8"/"s8"
  std::vector<std::string> corrections;  // names as in the options: "bias-correction", ...
  int calibration_images = 0;
  std::optional<double> percentile;       // scheme percentile: percent
  std::vector<std::string> float_layers;  // left in float32
};

// A recipe that --scheme auto tried: calibrated on some of the calibration images, measured on the others.
struct SchemeTrial {
  std::string name;                  // "best", "mse + bias-correction"
  int calibrated = 0, measured = 0;  // images
  double sqnr_db = 0;
  std::optional<double> kl, agreement;  // of classifiers
  bool picked = false;
};

struct CalibrationReport {
  std::string source;  // "data", "table", "synthetic", "image"
  std::string path;    // of the data or the table
  int images = 0;
  bool excluded = false;  // these images are of the judged data, and are not judged
  std::vector<SkippedImage> skipped;
  QuantizationReport quantization;
  std::vector<SchemeTrial> trials;  // --scheme auto
  // Which: numbers in their data set, as they were dealt out; the seed; their classes (0: no labels).
  std::vector<std::size_t> indices = {};
  std::uint64_t seed = 0;
  std::size_t classes = 0;
  std::string isa = {}, cpu = {};  // where the float32 sums were made; empty: not known
  // Images of the judged data that are left out: calibration images, and others with the content of one.
  std::size_t left_out = 0, same_content = 0;
};

// A layer's tensor in the integer network against the float32 network's, over some images.
struct LayerErrorReport {
  double sqnr_db = 0;  // infinite if equal
  double cosine = 1;
  std::optional<double> range_used;  // largest integer magnitude / the type's; absent for float32 tensors
  std::optional<double> saturation;  // share of values at the end of the type's range
};

struct LayerReport {
  LayerInfo info;
  std::optional<double> ms;  // one batch
  std::optional<LayerErrorReport> error;
  std::optional<LayerProfile> profile;  // with ms, where the device's roofs are measured
};

// What computes in float32 in an int8 network, having no integer form.
struct IslandReport {
  std::vector<std::string> layers;
  // Of one batch: these layers and the conversions into and out of them, and every layer of the network, timed one
  // after the other behind the timed run; absent where no speed was measured.
  std::optional<double> ms, network_ms;
};

// What stands behind the network's outputs, of one batch: medians, measured behind the timed run, whose times include
// it.
struct PostprocessingReport {
  std::string what;                          // "decode and NMS (scores above 0.01, IoU 0.45)"
  bool on_device = false;                    // by its clock; else on the host
  double network_ms = 0, ms = 0;             // of the network alone; of this
  double other_threshold = 0, other_ms = 0;  // the same with scores above this
};

// A picture that two rows answer differently, made small, with what they say and the truth.
struct GalleryPicture {
  struct Box {
    int category = 0;
    std::optional<double> score;  // absent: of a truth
    gpueval::Box place;           // in pixels of the picture as it was
  };
  struct Answer {
    std::string label;  // "int8 best", "truth"
    std::vector<Box> boxes;
    LabelMap map = {};  // of the small picture's size; without pixels: of a task with boxes
  };
  std::string name, difference;  // difference: a clause
  int height = 0, width = 0;     // of the picture as it was
  std::vector<std::uint8_t> jpeg;
  std::vector<Answer> answers;
};

struct RunReport {
  std::string precision;    // "float32", "int8"
  std::string scheme;       // "" for float32
  std::string depthwise;    // "int8"/"float32", `reference` scheme only
  std::string activations;  // "u8"/"s8", static schemes only
  std::string device;
  bool on_emulator = false;  // the device is one
  std::optional<QuantizationReport> quantization;
  std::string forced_kernel;  // --kernel
  int batch = 1;              // of the speed part, else of the accuracy part
  bool shows_batch = false;   // one of several batches: the label has it
  std::optional<AccuracyResult> accuracy;
  std::optional<PairedComparison> vs_first;
  std::optional<SpeedResult> speed;
  std::optional<PostprocessingReport> postprocessing;  // where it is part of `speed`
  std::optional<ServerResult> server;                  // --scenario server
  std::size_t arena_bytes = 0;
  std::vector<LayerReport> layers;
  std::optional<IslandReport> islands = {};  // of int8 networks that have some

  std::string label() const;  // "int8 maxabs"
  bool emulated() const;      // its times are no device's
  // Of speed and server, the worse; nothing without both and for the emulator.
  std::optional<SpeedVerdict> verdict() const;
};

double layers_ms(const RunReport& run);  // all timed layers together

struct Report {
  ToolInfo tool;
  HostInfo host;
  std::string command;
  std::string task = "classification";  // of find_task()
  std::string device_description;
  ModelReport model;
  std::optional<DataReport> data;
  std::optional<CalibrationReport> calibration;
  std::string speed_input;                      // "data" or "synthetic"; empty without a speed part
  std::vector<double> percentiles{50, 90, 99};  // of the latency, in the table
  std::string scenario;                         // "offline", "single-stream", "server" or ""
  std::optional<Conditions> conditions;         // of the machine during the speed part
  std::optional<Conditions> layer_conditions;   // while layers and roofs were timed (--per-layer)
  std::vector<RunReport> runs;
  std::vector<GalleryPicture> gallery;  // that differ most first
  int layer_error_images = 0;
  std::vector<std::string> warnings;       // whole sentences: numbers of this report that may be wrong, and why
  std::vector<std::string> notes;          // whole sentences for the reader
  std::vector<std::string> output_errors;  // what could not be written, or went wrong behind a part that stands
  std::string journal;                     // of the accuracy part, to resume from; empty: there is none
  std::optional<DeviceRoofs> roofs;        // --per-layer
  bool interrupted = false;
  bool per_layer = false;
  std::optional<Shard> shard = {};  // data: of all shards together; scores: of this one

  bool valid() const;                           // no speed measurement is INVALID
  std::optional<SpeedVerdict> verdict() const;  // the worst of the runs
};

// Whether the last row that has an accuracy has at least `least` of what it is judged by. Error where no row has one.
struct AccuracyGate {
  bool passed = false;
  std::string sentence;
};
AccuracyGate accuracy_gate(const Report& report, double least);

// `gpu_eval table`: every network with several rows each.
struct TableNetwork {
  std::string name;                       // "mobilenet 0.25"
  std::vector<std::string> weight_files;  // published names
  std::string missing;                    // why it was not measured; empty: report holds the result
  std::optional<Report> report;
};
struct TableReport {
  ToolInfo tool;
  HostInfo host;
  std::string command;
  std::vector<TableNetwork> networks;
  bool interrupted = false;
  std::string failure = {};  // of a network behind those that were measured
};

// The five likeliest classes of one picture, row by row.
struct Classification {
  struct Class {
    int id = 0;
    double probability = 0;  // softmax
    std::string name;        // may be empty
  };
  struct Of {
    std::string label;  // "int8 best"
    bool has_nan = false;
    std::vector<Class> classes;  // likeliest first
  };
  std::string path;
  int height = 0, width = 0;  // of the picture
  std::vector<Of> rows;
  std::optional<CalibrationReport> calibration;
};

// `gpu_eval export`: an ONNX file.
struct ExportedNetwork {
  std::string path, network, form;  // "int8 (scheme best, u8 activations)"
  std::uint64_t bytes = 0;
  InputSpec input;
  struct Output {
    std::string name;
    Shape shape;
  };
  std::vector<Output> outputs = {};
  std::optional<int> calibration_images = {};  // absent: not calibrated, or a table was read
  std::vector<std::string> notes = {};         // whole sentences
};

// `gpu_eval sensitivity`: a network against float32 on the judged images.
struct MixedSpeed {
  std::string label;  // "float32", "int8", "mixed"
  SpeedResult speed;
};
struct MixedReport {  // --target-loss
  double target_points = 0;
  std::vector<std::string> float_layers;
  double choosing_loss_points = 0;  // on the images that chose the layers: SensitivityReport's first, images
  Trial choosing;
  std::size_t first = 0;  // the rest: on images that chose nothing; the first of them
  int images = 0;
  std::vector<std::size_t> indices = {};         // which
  double loss_points = 0, int8_loss_points = 0;  // int8: with every layer int8
  Trial trial;
  std::vector<MixedSpeed> speed;
  std::optional<Conditions> conditions = {};  // while they were timed
};
struct SensitivityReport {
  ToolInfo tool;
  HostInfo host;
  std::string command;
  ModelReport model;
  QuantizationReport quantization;
  std::string data;  // path
  std::string preprocessing, label_mapping;
  std::size_t first = 0;  // the first image that the layers are ranked by
  int images = 0;
  std::vector<std::size_t> indices = {};  // which
  std::optional<CalibrationReport> calibration = {};
  std::string task = "classification", metric = "top-1";  // of find_task(), and its headline
  std::optional<double> float_headline;
  Sensitivity found;
  std::optional<MixedReport> mixed;
  bool interrupted = false;
  std::vector<std::string> warnings = {};  // whole sentences: numbers of this report that may be wrong, and why
  std::vector<std::string> notes = {};     // whole sentences for the reader

  bool valid() const;  // no speed measurement is INVALID
};

}  // namespace gpueval
