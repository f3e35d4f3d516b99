// SPDX-License-Identifier: Apache-2.0
// What speed_peers.py and a program under test say to each other: lines of JSON over pipes (speed_worker.py explains
// it).
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

namespace gpueval::bench {

// Says `ready`, then answers each order with the latencies of step(), which runs one batch. Returns at the end of
// stdin.
void serve(const nlohmann::json& ready, int batch, const std::function<void()>& step);

}  // namespace gpueval::bench
