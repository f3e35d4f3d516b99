// SPDX-License-Identifier: Apache-2.0
// One line of the benchmark's table.
#pragma once

#include <string>

#include "gpueval/conv_desc.h"
#include "gpueval/verdict.h"

namespace gpueval::bench {

struct Row {
  std::string kernel;  // table row's name, or "onednn_f32", "cudnn_f32", ...
  std::string device;  // "cpu", "cuda", "emu"
  std::string network;
  ConvDesc desc;
  int threads = 0;  // CPU only
  bool cold = false;
  std::string roof;  // name of the compute roof: "int8", "f32", "dp4a", "mma_m16n8k32", ...; empty: none measured
  double operations = 0, bytes = 0;

  double seconds = 0;  // median of the samples; 0: not measured
  int samples = 0;
  double spread = 0;    // of the samples: (90th - 10th percentile) / median
  std::string note;     // why there is no time, or what is wrong with the result; the library's chosen algorithm
  bool failed = false;  // wrong result or error

  bool emulated() const { return device == "emu"; }  // its time says nothing
  SpeedVerdict verdict() const {
    return spread > kNoiseBounds.rounds_spread ? SpeedVerdict::kNoisy : SpeedVerdict::kValid;
  }
  bool measured() const { return seconds > 0 && !failed; }
  double tops() const { return operations / seconds * 1e-12; }
  double gbs() const { return bytes / seconds * 1e-9; }
};

// "conv_s8_avx2/resnet50/n1h7w7c512_k512r3s3_st1_pad1,1,1,1/t2", "/cuda", "/cuda/cold": the benchmark's name.
std::string row_name(const Row& row);

}  // namespace gpueval::bench
