// SPDX-License-Identifier: Apache-2.0
// What a file says about its model: config.json of a .keras archive, the attribute model_config of a full .h5.
#pragma once

#include <cstdint>
#include <string>

#include "gpueval/weights.h"

namespace gpueval {

constexpr std::uint64_t kMaxConfigBytes = 8u << 20;  // 1 KB a layer; the largest of keras.applications has 0.9 MB

// Fills out.config and out.output from JSON of any Keras generation. Throws Error for a model that is subclassed, has
// models nested in it or layers wrapped by others, and for what is no description of a model.
void read_model_config(const std::string& json, WeightFile& out);

// Names the layers of a Keras 3 archive that does not: the n-th group of a class is the n-th layer of that class.
void name_layers_by_config(WeightFile& file);

}  // namespace gpueval
