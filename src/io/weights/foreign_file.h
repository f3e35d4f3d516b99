// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gpueval {

constexpr std::size_t kHeadBytes = 4096;  // of a file, enough to tell what it is

// What a file that is no Keras file is, and what to do: "a TensorFlow Lite model; ...". head: its first bytes.
std::string kind_of_foreign_file(std::string_view head, const std::string& path);

// The same of a folder.
std::string kind_of_foreign_folder(const std::string& path);

}  // namespace gpueval
