// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gpueval::cli {

enum class Command { kMeasure, kClassify, kCalibrate, kTable, kSensitivity, kExport, kList, kCompare, kSelftest };

// The command line as typed, checked. Defaults are those of the README and --help.
struct Options {
  Command command = Command::kMeasure;
  std::string model;
  std::optional<double> alpha;
  std::string weights;  // path, "random" or "" (the published name is looked for)
  std::uint64_t seed = 1;
  std::string data;    // path or "" (looked for)
  std::string labels;  // ground truth of --data, class names of --image
  std::optional<std::size_t> limit;
  std::vector<std::string> precisions{"float32", "int8"};
  std::string scheme = "best", depthwise = "int8", activations = "u8";  // scheme: a Scheme's name, or "auto"
  std::optional<double> calibration_percentile;
  std::map<std::string, bool> corrections;   // switched on or off: "gptq" (src/cli/recipe.h)
  std::vector<std::string> float_layers;     // left in float32
  std::optional<double> target_loss_points;  // `sensitivity`
  std::optional<std::size_t> choosing_images;
  std::optional<std::size_t> calibration_images;
  std::string calibration_table;
  std::string preprocess = "default", preprocess_on = "host";
  std::string device = "auto", kernel;
  bool cuda_graph = true;
  std::optional<int> batch;
  int threads = 0;
  std::string mode = "both", scenario;  // scenario: "", "offline", "single-stream", "server"
  double latency_bound_ms = 15;
  double warm_up_ms = 200, duration_s = 3;
  std::int64_t iterations = 10;
  std::vector<double> percentiles{50, 90, 99};
  bool include_transfers = false, per_layer = false, resume = false;
  std::string json, html, markdown, image, save_logits;
  std::string onnx;  // `export`
  std::optional<double> reference_accuracy;
  double threshold_points = 0;

  std::string list_what;                     // `list`
  std::string compare_a, compare_b;          // `compare`
  std::string selftest_kernels;              // `selftest`: a regular expression
  std::vector<std::string> selftest_worker;  // this process tests them for another one

  std::set<std::string> given;  // options that were typed: "--alpha"
  std::string command_line;

  bool has_int8() const;
  bool demo() const { return model == "demo"; }
};

// Throws Error (usage) naming the option; nullopt after --help or --version, whose text is in *text.
std::optional<Options> parse_options(int argc, const char* const* argv, std::string* text);
// Contradictory options are usage errors that name both.
void check_options(const Options& options);

}  // namespace gpueval::cli
