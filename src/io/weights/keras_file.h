// SPDX-License-Identifier: Apache-2.0
// A full model as Keras saved it, before anything is made of it: its description and its weights where they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gpueval/weights.h"

namespace gpueval {

class Hdf5File;

constexpr std::uint64_t kMaxConfigBytes = 8u << 20;  // 1 KB a layer; the largest of keras.applications has 0.9 MB

// The arrays of one place in the file.
struct WeightGroup {
  // ".keras": the path of the layer's group, "layers/functional/layers/conv2d_1". ".h5": the top-level layer's name.
  std::string path;
  std::string name;  // of the layer, where an archive says it
  // ".keras": in Keras's order, named "0", "1", ... ".h5": "block/conv/kernel:0". Integers and booleans (seeds,
  // counters, quantized weights) have a shape and no data.
  std::vector<WeightArray> arrays;
  bool own_names = false;  // ".keras": a class of one's own named them otherwise, and they are not read
};

struct KerasFile {
  std::string path, sha256;
  std::string keras_version;        // as the file says, else empty
  std::string config;               // JSON; empty: the file has weights alone
  bool archive = false;             // ".keras": what WeightGroup says of it
  std::vector<WeightGroup> groups;  // only those that have arrays
};

// Throws Error as read_weight_file() (gpueval/weights.h) does; what the description says is not looked at.
KerasFile read_keras_file(const std::string& path);
KerasFile read_keras_bytes(std::span<const std::byte> bytes, const std::string& name);  // sha256 stays empty

// Fills all that an HDF5 file has. The part of both that sees the file (keras_file.cpp).
void read_weight_tree(Hdf5File& file, KerasFile& out);

}  // namespace gpueval
