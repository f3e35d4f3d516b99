// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace gpueval {

// One bit an image, eight to a byte (two hexadecimal digits), the first image in the highest bit, the last byte padded
// with zeros.
std::string bits_to_hex(const std::vector<bool>& bits);
std::optional<std::vector<bool>> hex_to_bits(const std::string& hex, std::size_t count);

}  // namespace gpueval
