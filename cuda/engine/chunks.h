// SPDX-License-Identifier: Apache-2.0
// A batch's first layers a few images at a time, so that what one step writes is still in the second-level cache when
// the next one reads it; the layers behind, whose tensors are small, run for all at once.
#pragma once

#include "gpueval/engine.h"
#include "gpueval/graph.h"
#include "graph/memory_plan.h"

namespace gpueval::cuda {

// option: EngineOptions::chunk. By the cache: the steps up to the last whose tensors, of the whole batch, fill more
// than half of it, as many images at a time as keep them below that; none where that is the whole batch or hardly any.
// Of a number of images: the same steps, so many at a time.
Chunks plan_chunks(const Graph& graph, int batch, int option, std::size_t cache_bytes);

}  // namespace gpueval::cuda
