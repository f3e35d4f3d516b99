// SPDX-License-Identifier: Apache-2.0
// Graph capture on the emulated device: what is put on the captured stream, and on streams joined to it by events, is
// kept as a list; launching it puts the list on the launch stream and on streams and events of the graph's own.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "emulator/stream.h"
#include "emulator/stream_recorder.h"

namespace gpueval::cuda {

class EmuGraph {
 public:
  EmuGraph(void* origin, std::vector<emulator::StreamCall> calls);
  ~EmuGraph();
  EmuGraph(const EmuGraph&) = delete;
  EmuGraph& operator=(const EmuGraph&) = delete;
  void launch(void* stream) const;

 private:
  void* origin_;
  std::vector<emulator::StreamCall> calls_;
  std::map<void*, void*> streams_, events_;  // of the capture -> of this graph
};

// From construction to finish() (or destruction) the calling thread's stream calls are captured.
class EmuCapture {
 public:
  explicit EmuCapture(void* origin);
  ~EmuCapture();
  EmuCapture(const EmuCapture&) = delete;
  EmuCapture& operator=(const EmuCapture&) = delete;
  // Error where a forked stream was not joined to the origin again.
  std::unique_ptr<EmuGraph> finish();
  void* origin() const { return origin_; }
  bool has(void* stream) const { return streams_.contains(stream); }

 private:
  bool take(const emulator::StreamCall& call);
  void* origin_;
  std::vector<emulator::StreamCall> calls_;
  std::set<void*> streams_;  // captured ones
  // Per captured event and stream: the streams, with their last call, that are known to be done when it is reached.
  using Progress = std::map<void*, std::size_t>;
  std::map<void*, Progress> events_, progress_;
  std::map<void*, std::size_t> last_call_;
};

}  // namespace gpueval::cuda
