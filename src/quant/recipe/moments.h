// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "gpueval/engine.h"
#include "gpueval/graph.h"

namespace gpueval {

// Per-channel sums over a layer's float32 values in front of its activation. Summed image by image: the result depends
// neither on the batch nor on the threads.
struct ChannelMoments {
  std::vector<double> sum;        // y
  std::vector<double> activated;  // act(y)
  std::vector<double> linear;     // how many y the activation passes on unchanged
  std::int64_t count = 0;         // values a channel

  explicit ChannelMoments(int channels);
  void add(const TensorView& y, Activation act);
};

float activate_value(float y, Activation act);

}  // namespace gpueval
