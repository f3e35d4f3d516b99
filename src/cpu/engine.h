// SPDX-License-Identifier: Apache-2.0
// The CPU backend: float32 by oneDNN, int8 by the kernels in int8/.
#pragma once

#include <memory>

#include "gpueval/engine.h"

namespace gpueval::cpu {

std::unique_ptr<Engine> make_cpu_engine(Graph lowered, const EngineOptions& options);

}  // namespace gpueval::cpu
