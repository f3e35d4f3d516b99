// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/data/decode_memory.h"

namespace gpueval::data {

// All bytes of an encoded picture. BadImage for a file of more than 256 MiB.
std::vector<std::uint8_t> read_encoded(const std::string& path, const DecodeMemory& memory);

}  // namespace gpueval::data
