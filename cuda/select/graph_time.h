// SPDX-License-Identifier: Apache-2.0
// How long a kernel or a library's plan takes, as the engine launches it.
#pragma once

#include <algorithm>
#include <limits>

#include "cuda/runtime/handles.h"
#include "cuda/runtime/runtime.h"

namespace gpueval::cuda {

constexpr int kMostTimedRuns = 40;  // of one graph: 200 us of a kernel of 5 us

// Least seconds of a run in five samples, after two runs that warm up. Short runs are timed as a graph of several, as
// the engine launches them: one by one, the host's calls would be what is timed.
// Ends after the second run, with its time, where that is beyond `give_up` and too long to be the host's doing.
template <typename Run>
double least_seconds(Runtime& runtime, Stream stream, Run&& run,
                     double give_up = std::numeric_limits<double>::infinity()) {
  constexpr double kSampleSeconds = 200e-6, kHostSeconds = 100e-6;
  const EventHandle begin = make_event(runtime), end = make_event(runtime);
  const auto seconds = [&](auto&& work) {
    runtime.record(begin.get(), stream);
    work();
    runtime.record(end.get(), stream);
    runtime.synchronize(stream);
    return std::max(runtime.seconds(begin.get(), end.get()), 1e-9);
  };
  run();
  runtime.synchronize(stream);
  const double once = seconds(run);
  if (once > std::max(give_up, kHostSeconds)) return once;
  const int runs = static_cast<int>(std::clamp(kSampleSeconds / once, 1.0, double{kMostTimedRuns}));
  GraphHandle graph;
  if (runs > 1) {
    runtime.begin_capture(stream);
    for (int i = 0; i < runs; ++i) run();
    graph = GraphHandle(runtime, runtime.end_capture(stream));
    runtime.launch_graph(graph.get(), stream);
  }
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 5; ++i) {
    const double sample = runs > 1 ? seconds([&] { runtime.launch_graph(graph.get(), stream); }) : seconds(run);
    least = std::min(least, sample / runs);
  }
  return least;
}

}  // namespace gpueval::cuda
