// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/forward_pass.h"

#include <algorithm>

namespace gpueval::cuda {

ForwardPass::ForwardPass(Runtime& runtime, LanePlan lanes, std::vector<std::unique_ptr<Step>> steps, Stream main,
                         bool overlaps, const Chunks& chunks)
    : runtime_(runtime),
      lanes_(std::move(lanes)),
      steps_(std::move(steps)),
      main_(main),
      overlaps_(overlaps),
      chunks_(chunks) {
  for (int lane = 1; lane < lanes_.lanes; ++lane) side_.push_back(make_stream(runtime));
  for (const bool records : lanes_.records) events_.push_back(records ? make_event(runtime) : EventHandle());
}

template <typename EnqueueStep>
void ForwardPass::for_each_step(int n, const EnqueueStep& enqueue) const {
  const auto in_chunks = static_cast<std::size_t>(chunks_.last);
  for (int first = 0; in_chunks > 0 && first < n; first += chunks_.images) {
    for (std::size_t i = 0; i < in_chunks; ++i) enqueue(i, first, std::min(chunks_.images, n - first));
  }
  for (std::size_t i = in_chunks; i < steps_.size(); ++i) enqueue(i, 0, n);
}

void ForwardPass::run_in_order(const DeviceTensors& tensors, const Batch& batch,
                               const std::function<void(int done)>& between) {
  if (before) before(pass_on(tensors, batch));
  if (between) between(0);
  for_each_step(batch.n, [&](std::size_t i, int first, int n) {
    Pass pass = pass_on(tensors, batch);
    pass.n = n;
    pass.first = first;
    pass.lane = lanes_.lane[i + 1];  // whose scratch memory the step reserved
    steps_[i]->enqueue(pass);
    if (between) between(static_cast<int>(i) + 1);
  });
  if (after) after(pass_on(tensors, batch));
}

Stream ForwardPass::stream(int lane) const {
  if (lane == 0) return main_;
  return side_[static_cast<std::size_t>(lane) - 1].get();
}

Pass ForwardPass::pass_on(const DeviceTensors& tensors, const Batch& batch, int lane) const {
  Pass pass = pass_on(tensors, batch);
  pass.lane = lane;
  pass.stream = stream(lane);
  return pass;
}

void ForwardPass::run_in_lanes(const DeviceTensors& tensors, const Batch& batch) {
  if (before) before(pass_on(tensors, batch));
  if (lanes_.records[0]) runtime_.record(events_[0].get(), main_);
  std::vector<char> behind_kernel(static_cast<std::size_t>(lanes_.lanes), false);  // of ours, and of nothing else
  for_each_step(batch.n, [&](std::size_t i, int first, int n) {
    const std::size_t node = i + 1;
    Pass pass = pass_on(tensors, batch, lanes_.lane[node]);
    char& behind = behind_kernel[static_cast<std::size_t>(pass.lane)];
    for (const int other : lanes_.waits[node]) {
      runtime_.wait(pass.stream, events_[static_cast<std::size_t>(other)].get());
      behind = false;
    }
    pass.n = n;
    pass.first = first;
    pass.stream.overlaps = overlaps_ && behind;
    steps_[i]->enqueue(pass);
    if (!steps_[i]->in_place()) behind = steps_[i]->launches_own_kernels();
    if (lanes_.records[node]) runtime_.record(events_[node].get(), pass.stream);
  });
  for (const int node : lanes_.joins) runtime_.wait(main_, events_[static_cast<std::size_t>(node)].get());
  if (after) after(pass_on(tensors, batch));
}

void ForwardPass::run_as_graph(const DeviceTensors& tensors, const Batch& batch, const PassClock* clock) {
  launch(graphs_, {}, tensors, batch, clock);
}

void ForwardPass::run_in_order_to_last(const DeviceTensors& tensors, const Batch& batch) {
  run_in_order(tensors, batch);
  last_(pass_on(tensors, batch));
}

void ForwardPass::run_as_graph_to_last(const DeviceTensors& tensors, const Batch& batch, const PassClock* clock) {
  launch(graphs_to_last_, last_, tensors, batch, clock);
}

void ForwardPass::set_last(Enqueue last) {
  last_ = std::move(last);
  graphs_to_last_.clear();
}

void ForwardPass::launch(std::map<GraphKey, GraphHandle>& graphs, const Enqueue& last, const DeviceTensors& tensors,
                         const Batch& batch, const PassClock* clock) {
  const GraphKey key(batch.n, batch.slot, batch.bytes.pixels != nullptr, clock != nullptr);
  if (!graphs.contains(key)) graphs.emplace(key, capture(last, tensors, batch, clock));
  runtime_.launch_graph(graphs.at(key).get(), main_);
}

GraphHandle ForwardPass::capture(const Enqueue& last, const DeviceTensors& tensors, const Batch& batch,
                                 const PassClock* clock) {
  runtime_.begin_capture(main_);
  try {
    if (clock != nullptr) runtime_.record_in_graph(clock->begin, main_);
    run_in_lanes(tensors, batch);
    if (last) last(pass_on(tensors, batch));
    if (clock != nullptr) runtime_.record_in_graph(clock->end, main_);
  } catch (...) {
    try {
      const GraphHandle broken(runtime_, runtime_.end_capture(main_));
    } catch (const std::exception&) {  // what began it is the better story
    }
    throw;
  }
  return {runtime_, runtime_.end_capture(main_)};
}

}  // namespace gpueval::cuda
