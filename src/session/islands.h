// SPDX-License-Identifier: Apache-2.0
// What computes in float32 in an int8 network, having no integer form: its names and the time that it costs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpueval/result.h"
#include "session/prepare.h"

namespace gpueval {

// Of a lowered row; nullopt: nothing, or the row is not int8.
std::optional<IslandReport> islands_of(const LoweredRow& row);
// A sentence with their names; nullopt where there are none.
std::optional<std::string> island_note(const Graph& lowered);

// From the times of all layers, which it takes if the run has none yet. input: a batch of run.batch images.
void time_islands(Engine& engine, const std::vector<float>& input, RunReport& run);
// What they cost in each run of a result: sentences.
std::vector<std::string> island_costs(const Report& report);

}  // namespace gpueval
