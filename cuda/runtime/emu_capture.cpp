// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime/emu_capture.h"

#include <algorithm>
#include <utility>

#include "gpueval/error.h"

namespace gpueval::cuda {

using emulator::StreamCall;

EmuGraph::EmuGraph(void* origin, std::vector<StreamCall> calls) : origin_(origin), calls_(std::move(calls)) {
  for (const StreamCall& call : calls_) {
    if (call.stream != origin_ && !streams_.contains(call.stream)) streams_[call.stream] = emulator::make_stream();
    if (call.event != nullptr && !events_.contains(call.event)) events_[call.event] = emulator::make_event();
  }
}

EmuGraph::~EmuGraph() {
  for (const auto& [captured, own] : streams_) emulator::destroy_stream(own);
  for (const auto& [captured, own] : events_) emulator::destroy_event(own);
}

void EmuGraph::launch(void* stream) const {
  for (const StreamCall& call : calls_) {
    void* to = call.stream == origin_ ? stream : streams_.at(call.stream);
    switch (call.kind) {
      case StreamCall::Kind::kWork:
        emulator::enqueue(to, call.work, call.early);
        break;
      case StreamCall::Kind::kRecord:
        emulator::record(events_.at(call.event), to);
        break;
      case StreamCall::Kind::kWait:
        emulator::wait(to, events_.at(call.event));
        break;
    }
  }
}

EmuCapture::EmuCapture(void* origin) : origin_(origin), streams_{origin} {
  emulator::set_recorder([this](const StreamCall& call) { return take(call); });
}

EmuCapture::~EmuCapture() { emulator::set_recorder({}); }

bool EmuCapture::take(const StreamCall& call) {
  const bool waits_for_capture = call.kind == StreamCall::Kind::kWait && events_.contains(call.event);
  if (!streams_.contains(call.stream) && !waits_for_capture) return false;
  if (call.kind == StreamCall::Kind::kWait && !waits_for_capture) {
    fail("graph capture: a captured stream waits for an event that was recorded outside of the capture");
  }
  streams_.insert(call.stream);
  calls_.push_back(call);
  Progress& progress = progress_[call.stream];
  if (call.kind == StreamCall::Kind::kWait) {
    for (const auto& [stream, done] : events_.at(call.event)) progress[stream] = std::max(progress[stream], done);
  }
  progress[call.stream] = last_call_[call.stream] = calls_.size();
  if (call.kind == StreamCall::Kind::kRecord) events_[call.event] = progress;
  return true;
}

std::unique_ptr<EmuGraph> EmuCapture::finish() {
  emulator::set_recorder({});
  Progress& joined = progress_[origin_];
  for (const auto& [stream, last] : last_call_) {
    // A record at a stream's very end needs no join of its own.
    const StreamCall& call = calls_[last - 1];
    const std::size_t needed = call.kind == StreamCall::Kind::kRecord ? last - 1 : last;
    if (stream != origin_ && joined[stream] < needed) {
      fail("graph capture: work of a forked stream was not joined to the captured stream by an event");
    }
  }
  return std::make_unique<EmuGraph>(origin_, std::move(calls_));
}

}  // namespace gpueval::cuda
