// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include "core/near_miss.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"

namespace gpueval {
namespace {

struct SchemeName {
  Scheme scheme;
  const char* name;
};
constexpr SchemeName kSchemes[] = {
    {Scheme::kReference, "reference"}, {Scheme::kMaxAbs, "maxabs"}, {Scheme::kPercentile, "percentile"},
    {Scheme::kEntropy, "entropy"},     {Scheme::kMse, "mse"},       {Scheme::kBest, "best"},
};

}  // namespace

Scheme parse_scheme(const std::string& name) {
  std::vector<std::string> names;
  for (const SchemeName& row : kSchemes) {
    if (name == row.name) return row.scheme;
    names.emplace_back(row.name);
  }
  const std::string near = did_you_mean(name, names);
  fail_usage("scheme {}: the schemes are {}{}", name.empty() ? "''" : name, fmt::join(names, ", "), near);
}

std::string to_string(Scheme scheme) {
  for (const SchemeName& row : kSchemes) {
    if (scheme == row.scheme) return row.name;
  }
  fail("scheme {} has no name", static_cast<int>(scheme));
}

bool needs_calibration(Scheme scheme) { return scheme != Scheme::kReference; }

}  // namespace gpueval
