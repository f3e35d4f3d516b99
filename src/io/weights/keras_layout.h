// SPDX-License-Identifier: Apache-2.0
// The layouts in which Keras stores weights in HDF5 (docs/formats.md).
#pragma once

#include "gpueval/weights.h"
#include "io/weights/hdf5_file.h"

namespace gpueval {

// Fills format and layers. Throws Error if the file has none of Keras's layouts.
void read_keras_layout(Hdf5File& file, WeightFile& out);
// The same of one file of several (shards.h): layers without arrays stay, since Keras writes the name of a layer whose
// first array begins another file into the file before it.
void read_keras_shard(Hdf5File& file, WeightFile& out);

}  // namespace gpueval
