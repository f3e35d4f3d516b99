// SPDX-License-Identifier: Apache-2.0
// The two halves of prepare(): checks that cost nothing come between them.
#pragma once

#include <span>

#include "gpueval/session.h"

namespace gpueval {

Prepared load(const Plan& plan);
// Calibrates what needs it and lowers every row.
void lower_rows(const Plan& plan, Prepared& prepared, Observer& observer);

struct EngineSet {
  std::vector<std::unique_ptr<Engine>> owned;
  std::vector<Engine*> engines;
};
EngineSet make_engines(const Plan& plan, std::span<const LoweredRow> rows, int batch);

}  // namespace gpueval
