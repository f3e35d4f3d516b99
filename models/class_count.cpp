// SPDX-License-Identifier: Apache-2.0
#include "models/class_count.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "gpueval/error.h"
#include "gpueval/weights.h"

namespace gpueval {
namespace {

constexpr int kMostClasses = 1 << 16;

// nullptr: the layer has no array of four extents.
const Array* kernel_of(const WeightLayer& layer) {
  for (const WeightArray& array : layer.arrays) {
    if (array.array.shape.size() == 4) return &array.array;
  }
  return nullptr;
}

}  // namespace

int class_count(const std::string& model, const std::string& variant, int own) {
  if (variant.empty()) return own;
  int classes = 0;
  const char* end = variant.data() + variant.size();
  const auto [rest, error] = std::from_chars(variant.data(), end, classes);
  const bool known = error == std::errc() && std::string_view(rest, end) == "_classes";
  if (!known || classes < 1 || classes > kMostClasses) {
    fail_usage("variant '{}' is unknown: {} has one for each number of classes, as '{}_classes'", variant, model, own);
  }
  return classes;
}

std::string class_variant(std::int64_t classes, int own) {
  return classes == own || classes < 1 || classes > kMostClasses ? "" : fmt::format("{}_classes", classes);
}

std::int64_t filters_of(const WeightFile& file, std::string_view layer) {
  for (const WeightLayer& found : file.layers) {
    if (found.name != layer) continue;
    if (const Array* kernel = kernel_of(found)) return kernel->shape[3];
  }
  return 0;
}

std::int64_t filters_of_pointwise(const WeightFile& file, std::int64_t channels) {
  std::int64_t filters = 0;
  for (const WeightLayer& layer : file.layers) {
    const Array* kernel = kernel_of(layer);
    if (kernel == nullptr || kernel->shape[0] != 1 || kernel->shape[1] != 1 || kernel->shape[2] != channels) continue;
    if (filters > 0) return 0;
    filters = kernel->shape[3];
  }
  return filters;
}

void check_multiple(const std::string& model, int height, int width, int multiple) {
  if (height % multiple == 0 && width % multiple == 0) return;
  fail_usage("{} takes no input of {}x{}: both sides must be multiples of {}, so that its maps meet on the way back up",
             model, height, width, multiple);
}

int thinned(int filters, const ModelOptions& options) { return std::max(1, static_cast<int>(filters * options.alpha)); }

}  // namespace gpueval
