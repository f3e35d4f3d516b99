// SPDX-License-Identifier: Apache-2.0
// Networks of which files with other numbers of classes go round: the file's is its variant.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gpueval/models.h"

namespace gpueval {

// "81_classes" -> 81; "" -> own. Usage error for another variant.
int class_count(const std::string& model, const std::string& variant, int own);

// The other way: "" for `own` classes, and for 0 (not known).
std::string class_variant(std::int64_t classes, int own);

// Last extent of the kernel of the file's layer of that name; 0: there is none.
std::int64_t filters_of(const WeightFile& file, std::string_view layer);
// The same of the only kernel of (1, 1, channels, any); 0: there is none, or there are several.
std::int64_t filters_of_pointwise(const WeightFile& file, std::int64_t channels);

// Usage error for a size that does not halve without a rest down to the smallest map, a `multiple`th of it.
void check_multiple(const std::string& model, int height, int width, int multiple);

// Channels of a layer that has `filters` at width 1; at least one. Thinner networks are for tests.
int thinned(int filters, const ModelOptions& options);

}  // namespace gpueval
