// SPDX-License-Identifier: Apache-2.0
// The two halves of prepare(): checks that cost nothing come between them.
#pragma once

#include <span>
#include <string>

#include "gpueval/session.h"

namespace gpueval {

// The network and its width: the name's, else the plan's.
ModelName named_model(const ModelPlan& plan);
// What the network does to its pixels itself: kTaken where images are judged or timed (pixel_chain.h), kKept where the
// graph is given to somebody else.
enum class PixelChain { kKept, kTaken };
Prepared load(const Plan& plan, PixelChain chain);
// Whether the pixels that the network is given can be negative, which decides their type in int8.
void mark_input(const Plan& plan, LoadedModel& model, const LoadedData& data);
// Calibrates what needs it and lowers every row.
void lower_rows(const Plan& plan, Prepared& prepared, Observer& observer);

struct EngineSet {
  std::vector<std::unique_ptr<Engine>> owned;
  std::vector<Engine*> engines;
};
EngineSet make_engines(const Plan& plan, std::span<const LoweredRow> rows, int batch);
// The same of rows that are needed no more: they lose their graphs, so that no weights are held beside the packed ones.
EngineSet make_last_engines(const Plan& plan, std::span<LoweredRow> rows, int batch);

}  // namespace gpueval
