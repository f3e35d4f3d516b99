// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/forward_pass.h"

namespace gpueval::cuda {

ForwardPass::ForwardPass(Runtime& runtime, LanePlan lanes, std::vector<std::unique_ptr<Step>> steps, Stream main)
    : runtime_(runtime), lanes_(std::move(lanes)), steps_(std::move(steps)), main_(main) {
  for (int lane = 1; lane < lanes_.lanes; ++lane) side_.push_back(make_stream(runtime));
  for (const bool records : lanes_.records) events_.push_back(records ? make_event(runtime) : EventHandle());
}

void ForwardPass::run_in_order(const DeviceTensors& tensors, const Batch& batch,
                               const std::function<void(int done)>& between) {
  Pass pass = pass_on(tensors, batch, 0);
  if (before) before(pass);
  if (between) between(0);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    pass.lane = lanes_.lane[i + 1];  // whose scratch memory the step reserved
    steps_[i]->enqueue(pass);
    if (between) between(static_cast<int>(i) + 1);
  }
  pass.lane = 0;
  if (after) after(pass);
}

void ForwardPass::run_in_lanes(const DeviceTensors& tensors, const Batch& batch) {
  if (before) before(pass_on(tensors, batch, 0));
  if (lanes_.records[0]) runtime_.record(events_[0].get(), main_);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const std::size_t node = i + 1;
    const int lane = lanes_.lane[node];
    for (const int other : lanes_.waits[node]) {
      runtime_.wait(stream(lane), events_[static_cast<std::size_t>(other)].get());
    }
    steps_[i]->enqueue(pass_on(tensors, batch, lane));
    if (lanes_.records[node]) runtime_.record(events_[node].get(), stream(lane));
  }
  for (const int node : lanes_.joins) runtime_.wait(main_, events_[static_cast<std::size_t>(node)].get());
  if (after) after(pass_on(tensors, batch, 0));
}

void ForwardPass::run_as_graph(const DeviceTensors& tensors, const Batch& batch, const PassClock* clock) {
  launch(graphs_, {}, tensors, batch, clock);
}

void ForwardPass::run_in_order_to_last(const DeviceTensors& tensors, const Batch& batch) {
  run_in_order(tensors, batch);
  last_(pass_on(tensors, batch, 0));
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
    if (last) last(pass_on(tensors, batch, 0));
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
