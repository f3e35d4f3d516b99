// SPDX-License-Identifier: Apache-2.0
// Loads the demo network, calibrates it, measures it in float32 and int8 on its own images and prints the table, as
// `gpu_eval --model demo --data demo --limit 500 --scheme maxabs` does.
#include <cstdio>
#include <exception>
#include <string>

#include "gpueval/report.h"
#include "gpueval/session.h"

class Steps : public gpueval::Observer {
  void on_step(const std::string& text) override { std::fprintf(stderr, "%s\n", text.c_str()); }
};

int main() try {
  gpueval::Plan plan;
  plan.model.name = "demo";
  plan.data.path = "demo";
  plan.data.limit = 500;
  plan.rows = {{.precision = gpueval::Precision::kFloat32},
               {.precision = gpueval::Precision::kInt8, .recipe = {.scheme = gpueval::Scheme::kMaxAbs}}};
  plan.device = "cpu";
  plan.accuracy.emplace();
  plan.speed = gpueval::SpeedPlan{.warm_up_ms = 50, .duration_s = 0.5};

  gpueval::set_threads(0);  // all cores
  Steps steps;
  const gpueval::Report report = gpueval::measure(plan, steps);
  std::fputs(gpueval::to_table(report).c_str(), stdout);
  gpueval::forget_journal(report);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
