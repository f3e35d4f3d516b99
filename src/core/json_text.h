// SPDX-License-Identifier: Apache-2.0
// JSON that somebody else may have written.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace gpueval {

constexpr int kJsonDepth = 64;  // levels; deeper ones overflow the stack of whoever walks them

// Throws Error that begins with `name` for text that is no JSON, is nested too deeply, or names a key of an object
// twice.
nlohmann::json parse_json(std::string_view text, const std::string& name);
// The same of a regular file of at most max_bytes.
nlohmann::json read_json(const std::string& path, std::uint64_t max_bytes);

// JSON as it is written: ASCII alone, the rest as \u escapes, so that no reader and no terminal stumbles over it; a
// byte that is no UTF-8, as file names may hold, becomes U+FFFD.
template <typename Json>
std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', true, Json::error_handler_t::replace);
}

}  // namespace gpueval
