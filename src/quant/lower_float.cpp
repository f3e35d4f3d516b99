// SPDX-License-Identifier: Apache-2.0
#include "gpueval/quant.h"
#include "graph/passes.h"

namespace gpueval {

Graph lower_float(const Graph& bound) {
  const Graph folded = fold_batch_norm(hoist_over_moves(merge_activations(fold_padding(expand_separable(bound)))));
  return fuse_residual_add(fuse_activation(batch_norm_to_affine(fold_gamma(folded))));
}

}  // namespace gpueval
