// SPDX-License-Identifier: Apache-2.0
// A result that gpu_eval --json wrote, read back for `gpu_eval compare`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json_fields.h"
#include "gpueval/task.h"

namespace gpueval {

// What a task's accuracy has, as a table shows it.
struct NamedNumber {
  std::string name;             // "AP50"
  std::optional<double> value;  // a fraction; absent: nothing that it is of was judged
};

struct AccuracyNumbers {
  std::int64_t images = 0;
  std::vector<NamedNumber> metrics;  // the headline first
  std::optional<Interval> ci95;      // of the headline
  std::int64_t top1_count = 0;       // of classification
  std::vector<bool> correct;         // the same, image by image; empty in results without
  // Of all outputs, and of the images' hashes: empty where a result has none.
  std::string logits_sha256, logits_tree_sha256;
};

struct SpeedNumbers {
  int batch = 1;
  double images_per_second = 0;
  std::map<double, double> percentiles_ms;
  std::string verdict;               // "VALID", "NOISY", "INVALID"
  std::vector<std::string> reasons;  // of INVALID and NOISY
  bool includes_transfers = false;
};

struct ServerNumbers {
  double queries_per_second = 0, percentile = 0, latency_bound_ms = 0;
  std::string verdict;
};

struct ResultRun {
  std::string label;   // "int8 maxabs"
  std::string device;  // "cpu"
  std::string kernel;  // forced
  std::string recipe;  // how it was quantized; empty for float32
  std::optional<AccuracyNumbers> accuracy;
  std::optional<SpeedNumbers> speed;
  std::optional<ServerNumbers> server;
};

struct ResultData {
  std::string path, preprocessing, target_sha256;
  std::size_t first = 0, count = 0;
  std::string indices_sha256;        // of the judged images
  std::vector<std::size_t> skipped;  // of these
};

struct ResultFile {
  std::string path, model, weights, cpu;
  std::string task;  // of find_task()
  int classes = 0;   // of the network; 0: not known
  int threads = 0;
  bool interrupted = false;
  std::optional<ResultData> data;
  std::string calibration_isa, speed_input;
  std::vector<std::string> warnings, disturbances;
  std::vector<ResultRun> runs;
};

// A run's `accuracy`, by the task. Error naming the field for numbers that no such result has.
AccuracyNumbers read_accuracy(const JsonFields& json, const std::string& task);

// Throws Error naming file and field for anything that is no complete result of a measurement.
ResultFile read_result(const std::string& path);

}  // namespace gpueval
