// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "gpueval/weights.h"

namespace gpueval {

// As read_weight_file, from memory: an HDF5 file or a .keras archive. name stands for the path; sha256 stays empty.
WeightFile read_weight_bytes(std::span<const std::byte> bytes, const std::string& name);

}  // namespace gpueval
