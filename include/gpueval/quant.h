// SPDX-License-Identifier: Apache-2.0
// Post-training quantization: schemes, calibration, calibration tables. docs/numerics.md has the arithmetic.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "gpueval/engine.h"
#include "gpueval/graph.h"
#include "gpueval/node_runner.h"
#include "gpueval/selection.h"

namespace gpueval {

// kReference: the original research. The others are static; they differ in how a tensor's range is found: kMaxAbs its
// largest magnitude, kPercentile, kEntropy (KL divergence, as TensorRT's calibrator), kMse (least squared error),
// kBest: the default recipe, mse ranges and every correction that earned its place.
enum class Scheme { kReference, kMaxAbs, kPercentile, kEntropy, kMse, kBest };
Scheme parse_scheme(const std::string& name);  // usage error that lists the names
std::string to_string(Scheme scheme);          // "reference", "maxabs", ...
bool needs_calibration(Scheme scheme);

// Corrections on calibration images, each of them separately worth something (docs/quantization.md has the table).
struct Corrections {
  bool bias = false;                   // empirical, sequential: the mean of float minus int8 output goes into the bias
  bool bias_after_activation = false;  // then matches the mean behind ReLU or ReLU6
  bool analytic_bias = false;          // in place of `bias`: data-free, from batch norms (Nagel et al. 2019)
  bool channel_scales = false;         // u8 scales per channel where readers allow it (equalisation that ReLU6 allows)
  bool clip_search = false;            // mean-squared-error-optimal activation clips
  bool gptq = false;                   // error-compensating rounding, then coordinate descent (Frantar et al. 2022)
  bool asymmetric = false;             // GPTQ's target makes up for the error of the quantized input
  bool flips = false;                  // horizontally flipped copies of the calibration images
  bool operator==(const Corrections&) const = default;
};
Corrections default_corrections(Scheme scheme);  // none but for kBest

struct QuantOptions {
  Scheme scheme = Scheme::kMaxAbs;
  DType activations = DType::kU8;  // kU8: u8 where a tensor cannot be negative; kS8: s8 everywhere
  bool depthwise_int8 = true;      // `reference` only: false leaves depthwise layers in float32
  double percentile = 99.99;       // kPercentile: share of |x| inside the range, percent
  bool weights_per_channel = true;
  Corrections corrections = {};
  std::vector<std::string> float_layers = {};  // static schemes: convolutions and dense layers left in float32
};

// Changes that a recipe made to one convolution or dense layer. Empty vectors: as in the weight file.
struct LayerCorrection {
  std::vector<float> bias;           // real units, one per output channel
  std::vector<std::int8_t> weights;  // [K][R][S][C], depthwise [R][S][C]
  std::vector<float> weight_scale;   // per output channel; real output = weight_scale[k] * acc + bias[k], acc = sum of
                                     // integer inputs times weights: the source's scale (per channel or not) is in it
  bool operator==(const LayerCorrection&) const = default;
};

// What `gpu_eval calibrate` writes and --calibration-table reads. JSON, portable.
struct CalibrationTable {
  int schema = 1;
  std::string tool_version;
  std::string model;  // Graph::name
  std::string weights_sha256;
  std::string preprocessing;
  std::string scheme;
  std::string activations;        // "u8" or "s8"
  std::string image_list_sha256;  // recorded, never compared
  int images = 0;
  // Which images, so that they are not judged; seed of their choice; where the float32 sums were made that ranges and
  // corrections come from ("avx512_vnni", the CPU's name). Nothing in tables of earlier versions.
  std::vector<ImageDigest> calibration_images;
  std::uint64_t seed = 0;
  std::string isa, cpu;
  // Node name -> range of its tensor behind its activation: scale = range / 127 (s8) or / 255 (u8).
  std::map<std::string, float> range;
  // Node name -> one scale per channel, instead of the range's one. Only for u8 tensors of convolutions
  // all of whose readers are convolutions, depthwise or dense layers; behind ReLU6 at most 6 / 255.
  std::map<std::string, std::vector<float>> channel_scale;
  // Node name -> zero point, 1 to 254, of a u8 tensor that goes below zero: scale = range / (255 - zero point). Only
  // where no kernel has to know it: in front of and behind functions (docs/quantization.md).
  std::map<std::string, int> zero_point;
  std::map<std::string, LayerCorrection> corrections;  // by node name
  std::vector<std::string> notes = {};                 // by load_table: whole sentences on what an older table lacks
};
// Throws Error, too, for numbers that load_table would refuse: nothing that is not finite is ever saved.
void save_table(const CalibrationTable& table, const std::string& path);
// Throws Error naming field and layer for anything that save_table does not write, and for a table that was changed
// since: it holds a digest of itself.
CalibrationTable load_table(const std::string& path);
// Throws Error naming the first of model, weights, preprocessing, scheme, activations that differs.
void check_table(const CalibrationTable& table, const CalibrationTable& expected, const std::string& path);
// Throws Error naming the layer where the table's ranges, scales and corrections are not those of this network under
// options: layers that it does not have, sizes, corrections that the recipe makes and the table lacks.
void check_table_layers(const CalibrationTable& table, const Graph& bound, const QuantOptions& options,
                        const std::string& path);

// ---- lowering: what an Engine runs
Graph lower_float(const Graph& bound);                                   // float32
Graph lower_reference(const Graph& bound, const QuantOptions& options);  // `reference`: batch norm kept, dynamic scales
Graph lower_static(const Graph& bound, const CalibrationTable& table,
                   const QuantOptions& options);  // integer throughout

// Fills batch with up to max_images preprocessed images; returns how many (0 = end).
using BatchSource = std::function<int(std::vector<float>& batch, int max_images)>;
// Runs the float32 engine (of lower_float's graph) over the source and records max|x| of every node's tensor by name.
std::map<std::string, float> observe_ranges(Engine& float_engine, const BatchSource& source, int batch);

// The same images from the start at every call: calibration may need several passes.
using CalibrationImages = std::function<BatchSource()>;
// What calibration computes with.
struct Executor {
  std::function<std::unique_ptr<Engine>(Graph lowered, const EngineOptions& options)> make_engine;
  MakeNodeRunner make_node_runner;
  std::string isa;  // of CalibrationTable
};
// That of a device; throws as make_engine() does, and where the device does not run single nodes (only "cpu" does).
Executor executor_of(const std::string& device);
// Everything a static scheme needs from images: fills range, channel_scale, corrections and isa of the table; model,
// hashes and the like are the caller's. Deterministic. progress(done, total) may be empty.
CalibrationTable calibrate(const Graph& bound, const CalibrationImages& images, const QuantOptions& options,
                           const Executor& executor, const std::function<void(int done, int total)>& progress = {});
// The same on the CPU.
CalibrationTable calibrate(const Graph& bound, const CalibrationImages& images, const QuantOptions& options,
                           const std::function<void(int done, int total)>& progress = {});

// Layers that keep weights rounded to the nearest although options ask for gptq: deeper than 4,608 inputs an output
// (VGG16's first dense layer), their covariance would take gigabytes.
std::vector<std::string> uncompensated_layers(const Graph& bound, const QuantOptions& options);

}  // namespace gpueval
