// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <utility>

#include "core/input_file.h"
#include "gpueval/error.h"
#include "gpueval/priors.h"

namespace gpueval {
namespace {

constexpr std::uintmax_t kMostBytes = 4u << 20;

struct Embedded {
  const char *name, *json;
};
constexpr Embedded kEmbedded[] = {
#include "embedded_priors.inc"
};

std::string read_text(const std::string& path) {
  const InputFile file(path);
  if (file.size() > kMostBytes) fail("{}: {} bytes are no priors: at most {}", path, file.size(), kMostBytes);
  std::vector<std::uint8_t> bytes(file.size());
  file.read(0, bytes);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::vector<std::string> embedded_priors() {
  std::vector<std::string> names;
  for (const Embedded& row : kEmbedded) names.emplace_back(row.name);
  return names;
}

Priors read_priors(const std::string& name_or_file) {
  std::error_code ignored;
  if (std::filesystem::exists(name_or_file, ignored)) return parse_priors(read_text(name_or_file), name_or_file);
  for (const Embedded& row : kEmbedded) {
    if (name_or_file == row.name || name_or_file == std::string(row.name) + ".json")
      return parse_priors(row.json, name_or_file);
  }
  fail_usage("priors {}: there is no such file, and the embedded ones are {}", name_or_file,
             fmt::join(embedded_priors(), ", "));
}

}  // namespace gpueval
