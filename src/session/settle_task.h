// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpueval/session.h"

namespace gpueval {

// What the network is judged by: the task that is named, else that of the priors, of a built-in network, of a
// classifier, of a network whose one output is a map. Error where the named one is not for this network.
JudgedBy settle_task(const Plan& plan, const LoadedModel& model);

// Why the images cannot be judged by it; empty: they can.
std::string why_unjudged(const JudgedBy& task, const LoadedModel& model, const Dataset* images);

}  // namespace gpueval
