// SPDX-License-Identifier: Apache-2.0
// Which max pools the convolution in front of them may do on its way (rows of ConvKernel::pools), and which of them it
// does. Such a convolution's step writes the pool's tensor, and the pool's step nothing.
#pragma once

#include <cstddef>
#include <vector>

#include "gpueval/graph.h"
#include "graph/memory_plan.h"

namespace gpueval::cuda {

class PooledConvs {
 public:
  explicit PooledConvs(const Graph& graph);
  // The pool that may be done with that convolution; -1: none. It is an integer one that copies the maximum and alone
  // reads what the convolution, of few channels and without residual, makes.
  int pool_of(int conv) const { return pool_[static_cast<std::size_t>(conv)]; }
  // What the memory plan has to leave room for, whatever is joined.
  std::vector<ExtraWrite> writes() const;

  void join(int pool) { joined_[static_cast<std::size_t>(pool)] = true; }
  bool is_joined(int pool) const { return joined_[static_cast<std::size_t>(pool)]; }
  // The node whose tensor a step writes, but for a joined pool's.
  int written_by(int node) const {
    const int pool = pool_of(node);
    return pool >= 0 && is_joined(pool) ? pool : node;
  }

 private:
  std::vector<int> pool_;     // per node
  std::vector<bool> joined_;  // per node
};

}  // namespace gpueval::cuda
