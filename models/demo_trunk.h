// SPDX-License-Identifier: Apache-2.0
// What the toys that segment and detect are built of: scripts/train_demo_scenes.py has the same.
#pragma once

#include <fmt/format.h>

#include <string>

#include "gpueval/graph.h"

namespace gpueval {

class DemoTrunk {
 public:
  explicit DemoTrunk(GraphBuilder& builder) : g(builder) {}

  // Half the size.
  int first(int x) {
    x = g.conv2d("conv1", x, 16, 3, 3, {.stride = 2, .pad = Pad::kSame, .bias = false});
    return bn_relu6("conv1", x);
  }

  // Depthwise-separable, numbered 1, 2, ...
  int block(int x, int filters, int stride = 1, int dilation = 1) {
    const std::string dw = fmt::format("conv_dw_{}", ++blocks_), pw = fmt::format("conv_pw_{}", blocks_);
    x = g.depthwise_conv2d(dw, x, 3, {.stride = stride, .pad = Pad::kSame, .bias = false, .dilation = dilation});
    x = g.conv2d(pw, bn_relu6(dw, x), filters, 1, 1, {.pad = Pad::kSame, .bias = false});
    return bn_relu6(pw, x);
  }

 private:
  int bn_relu6(const std::string& name, int x) { return g.relu6(name + "_relu", g.batch_norm(name + "_bn", x)); }
  GraphBuilder& g;
  int blocks_ = 0;
};

}  // namespace gpueval
