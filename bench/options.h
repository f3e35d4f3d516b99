// SPDX-License-Identifier: Apache-2.0
// gpu_bench's own command line; everything that starts with --benchmark_ goes to Google Benchmark.
#pragma once

#include <string>
#include <vector>

namespace gpueval::bench {

struct Options {
  std::vector<std::string> devices;  // "cpu", "cuda", "emu"; empty: cpu, and cuda if there is one
  std::vector<int> batches{1};
  std::vector<int> threads;     // CPU; empty: 1 and all
  std::string shapes, kernels;  // regular expressions
  std::vector<std::string> compare;
  std::string cache = "hot";  // "hot", "cold", "both"
  double min_time = 0.1;      // seconds of samples of a hot row
  double roof_time = 0.2;     // seconds of a roof; 0: none
  std::string json, markdown;
  bool list = false, roofs_only = false, ops = false;

  bool hot() const { return cache != "cold"; }
  bool cold() const { return cache != "hot"; }
};

struct ParsedLine {
  Options options;
  std::vector<std::string> rest;  // for Google Benchmark
  std::string help;               // not empty: print it and leave
};
// Usage errors are Errors with ErrorKind::kUsage that name the option.
ParsedLine parse_line(int argc, const char* const* argv);

}  // namespace gpueval::bench
