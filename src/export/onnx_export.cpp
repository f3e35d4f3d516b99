// SPDX-License-Identifier: Apache-2.0
#include "gpueval/onnx_export.h"

#include "export/emitter.h"
#include "graph/passes.h"

namespace gpueval {

void export_onnx(const Graph& lowered, const std::string& path, const OnnxOptions& options) {
  const Graph joined = join_dilations(lowered, [](const Node&) { return true; });
  onnx_export::Emitter(joined, options).run().write(path);
}

}  // namespace gpueval
