// SPDX-License-Identifier: Apache-2.0
#include "core/json_text.h"

#include <algorithm>
#include <set>
#include <vector>

#include "core/input_file.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

// Brackets outside of strings: counted before anything is built.
int depth_of(std::string_view text) {
  int depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& name) {
  using Json = nlohmann::json;
  if (depth_of(text) > kJsonDepth) fail("{}: expected JSON of at most {} levels, found deeper ones", name, kJsonDepth);
  std::vector<std::set<std::string>> keys;  // of each open object
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      fail("{}: the key '{}' stands twice in one object", name, value.get<std::string>());
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::exception& error) {
    const std::string reason = error.what();  // "[json.exception.parse_error.101] parse error at line 1, ..."
    const auto end = reason.find("] ");
    fail("{}: expected JSON: {}", name, end == std::string::npos ? reason : reason.substr(end + 2));
  }
}

nlohmann::json read_json(const std::string& path, std::uint64_t max_bytes) {
  return parse_json(read_file(path, max_bytes), path);
}

}  // namespace gpueval
