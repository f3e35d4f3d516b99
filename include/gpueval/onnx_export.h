// SPDX-License-Identifier: Apache-2.0
// Lowered graphs as standard ONNX (opset 17). docs/onnx.md says what other runtimes make of the files.
#pragma once

#include <string>

#include "gpueval/graph.h"

namespace gpueval {

// How an int8 layer's bias is stored: as int32 behind a DequantizeLinear of scale s_src * s_w[k], which ONNX Runtime
// needs to run the layer in integers, or as plain float32, which TensorRT asks for.
enum class OnnxBias { kInt32, kFloat32 };

struct OnnxOptions {
  OnnxBias bias = OnnxBias::kInt32;
  std::string producer_version;
  std::string description;  // stored as the model's doc_string
};

// Writes a graph of lower_float, or of lower_static as QuantizeLinear/DequantizeLinear pairs with per-tensor scales:
//   input "input": float32 (N, h, w, c), preprocessed, any batch size N;
//   each of the graph's outputs by its name ("logits"): float32 (N, c) of one pixel, else (N, h, w, c).
// Nodes keep the Keras layer names. A tensor with one scale per channel gets the largest of them; the weights' scales
// around it take up the rest, so its integers stay as they are.
// Throws Error for a graph of the `reference` scheme and for a path that cannot be written.
void export_onnx(const Graph& lowered, const std::string& path, const OnnxOptions& options = {});

}  // namespace gpueval
