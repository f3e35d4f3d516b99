// SPDX-License-Identifier: Apache-2.0
// Activation clips with the least mean squared rounding error, in two passes of the float32 network.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gpueval/quant.h"

namespace gpueval {

// What a tensor is clipped at: all of it, and (for the channels asked for) each of its channels.
struct Clips {
  float tensor = 0;
  std::vector<float> channel;  // empty where not asked for
};

struct ClipRequest {
  int levels = 127;       // 255 (u8) or 127 (s8)
  bool channels = false;  // each channel's clip too
};

// request: per node of lower_float(bound). search: the best of kClipGrid times the largest magnitude, over some 25,000
// evenly spread pixels; else the largest magnitude itself. By node name.
std::map<std::string, Clips> find_clips(Engine& float_engine, const CalibrationImages& images,
                                        const std::vector<ClipRequest>& request, bool search, int batch);

}  // namespace gpueval
