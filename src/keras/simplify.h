// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpueval/graph.h"

namespace gpueval::keras {

// Drops what no output needs, finds what Keras networks spell out, and says it in one operation:
//   affine behind affine                           -> one affine
//   clamp((x + 3), 0, 6) / 6, of any scale         -> hard sigmoid
//   x * sigmoid(x), x * hard_sigmoid(x)            -> silu, hard silu
// Each keeps the function that the graph computes, up to the last bit of float32.
Graph simplify(Graph graph);

}  // namespace gpueval::keras
