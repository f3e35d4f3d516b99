// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/options.h"
#include "gpueval/engine.h"

namespace gpueval::cli {

// What the engine of one precision ("float32", "tf32", "float16", "int8") is made with.
EngineOptions engine_options(const Options& options, const std::string& precision, int batch);

}  // namespace gpueval::cli
