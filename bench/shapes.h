// SPDX-License-Identifier: Apache-2.0
// The convolutions that the benchmarks run: one ConvDesc text a line in bench/shapes/*.txt.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gpueval/conv_desc.h"

namespace gpueval::bench {

struct ShapeRow {
  std::string network;  // file stem, "resnet50"; several joined by '+' where networks share the shape
  ConvDesc desc;
  int count = 1;  // how often it occurs in the (first) network
};

// $GPUEVAL_BENCH_SHAPES, else `shapes` next to the program, else the source tree's bench/shapes.
std::filesystem::path shapes_folder();
// Every line of every file of the folder, sorted by file.
std::vector<ShapeRow> load_shapes(const std::filesystem::path& folder);
// Rows whose "network/shape" contains a match of the regular expression, each distinct shape once, with that batch. An
// empty expression: all but tiny.txt. Error if nothing matches.
std::vector<ShapeRow> select_shapes(const std::vector<ShapeRow>& rows, const std::string& regex, int batch);

// 2 x multiply-adds, taps on the padding left out.
double operations(const ConvDesc& desc);
// Source, weights and destination once each, element sizes in bytes; no padding lanes.
double traffic_bytes(const ConvDesc& desc, double src_size, double weight_size, double dst_size);

}  // namespace gpueval::bench
