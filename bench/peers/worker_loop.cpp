// SPDX-License-Identifier: Apache-2.0
#include "peers/worker_loop.h"

#include <iostream>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json_text.h"

namespace gpueval::bench {
namespace {

constexpr double kSlowMs = 250;  // an iteration this long warms nothing up that the next one would notice

}  // namespace

void serve(const nlohmann::json& ready, int batch, const std::function<void()>& step) {
  std::cout << ready.dump() << std::endl;
  double last_ms = 0;
  for (std::string line; std::getline(std::cin, line) && !line.empty();) {
    const auto order = parse_json(line, "the order");
    const double seconds = order.at("seconds"), warm_up = order.at("warm_up");
    if (last_ms < kSlowMs) {
      const double begin = steady_seconds();
      do step();
      while (steady_seconds() - begin < warm_up);
    }
    std::vector<double> ms;
    const double begin = steady_seconds();
    double before = begin, now = begin;
    do {
      step();
      now = steady_seconds();
      last_ms = (now - before) * 1e3;
      ms.push_back(last_ms);
      before = now;
    } while (now - begin < seconds);
    std::cout << nlohmann::json{{"ms", ms},
                                {"seconds", now - begin},
                                {"images", ms.size() * static_cast<size_t>(batch)}}
                     .dump()
              << std::endl;
  }
}

}  // namespace gpueval::bench
