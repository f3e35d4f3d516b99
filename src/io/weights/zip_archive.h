// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gpueval {

// One entry of a zip archive, unpacked. archive: the whole file in memory, or nullopt to read it from the path name.
// Throws Error naming the file if it is damaged or lacks the entry.
std::vector<std::byte> read_zip_entry(const std::string& name, std::optional<std::span<const std::byte>> archive,
                                      const std::string& entry);

}  // namespace gpueval
