// SPDX-License-Identifier: Apache-2.0
// How far each tensor of a quantized network is from the float32 network's, on the same images, from the tensors that
// the kernels really produced.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gpueval/accuracy.h"
#include "gpueval/engine.h"
#include "gpueval/quant.h"

namespace gpueval {

// f: the float32 network's tensor, x = scale * q: the quantized network's; sums over all elements and images.
struct LayerError {
  std::string name;         // node name in the quantized graph
  double sqnr_db = 0;       // 10 log10(sum f^2 / sum (f - x)^2); infinite if equal
  double cosine = 1;        // sum f * x / sqrt(sum f^2 * sum x^2); 1 if both are all zero, 0 if one is
  bool is_integer = false;  // the rest is for integer tensors only
  double range_used = 0;    // largest |q| / 127 or 255
  double saturation = 0;  // share of q at the type's ends (127, -127, 255) where the activation's own cut is not: 0 of
                          // u8, and 6 of ReLU6 if the scale puts it there
};

struct LayerErrors {
  std::vector<LayerError> layers;  // in the quantized graph's order
  LogitError logits;               // of networks with one output
  int images = 0;
  const LayerError* find(const std::string& name) const;  // nullptr: not measured
};

// Runs both engines over the source, batch by batch; one batch of the quantized network's tensors is held in memory.
// Compared are nodes of the same name that mean the same: "quantize_input" against the input, a layer kept with its
// batch norm apart (`reference` scheme) at its batch norm, and no layer into which only one of the two graphs fused a
// residual add. Both engines must have been made for at least `batch` images. The sums' order is fixed: the same
// numbers for any number of threads.
LayerErrors measure_layer_errors(Engine& float_engine, Engine& quantized_engine, const BatchSource& source, int batch,
                                 const std::function<void(int images)>& progress = {});

}  // namespace gpueval
