// SPDX-License-Identifier: Apache-2.0
// The convolutions that the benchmarks run: one ConvDesc text a line in bench/shapes/*.txt.
#pragma once

#include <string>
#include <vector>

#include "gpueval/conv_desc.h"

namespace gpueval::bench {

struct ShapeRow {
  std::string file;  // "resnet50"
  ConvDesc desc;
};
// All files of $GPUEVAL_BENCH_SHAPES (a folder), else of the source tree's bench/shapes, sorted.
std::vector<ShapeRow> load_shapes();

}  // namespace gpueval::bench
