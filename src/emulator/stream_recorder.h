// SPDX-License-Identifier: Apache-2.0
// How graph capture listens in on streams: while a recorder is set, enqueue(), record() and wait() offer their call to
// it first and leave undone what it takes. One recorder per host thread.
#pragma once

#include <functional>

namespace gpueval::emulator {

struct StreamCall {
  enum class Kind { kWork, kRecord, kWait };
  Kind kind = Kind::kWork;
  void* stream = nullptr;
  void* event = nullptr;              // kRecord, kWait
  std::function<void()> work, early;  // kWork
};
using Recorder = std::function<bool(const StreamCall&)>;  // true: taken

void set_recorder(Recorder recorder);            // empty: none
bool offer_to_recorder(const StreamCall& call);  // false at once where there is none

}  // namespace gpueval::emulator
