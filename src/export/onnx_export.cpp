// SPDX-License-Identifier: Apache-2.0
#include "gpueval/onnx_export.h"

#include "export/emitter.h"

namespace gpueval {

void export_onnx(const Graph& lowered, const std::string& path, const OnnxOptions& options) {
  onnx_export::Emitter(lowered, options).run().write(path);
}

}  // namespace gpueval
