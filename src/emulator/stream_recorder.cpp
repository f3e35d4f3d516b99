// SPDX-License-Identifier: Apache-2.0
#include "emulator/stream_recorder.h"

#include <utility>

namespace gpueval::emulator {
namespace {

thread_local Recorder current_recorder;

}  // namespace

void set_recorder(Recorder recorder) { current_recorder = std::move(recorder); }

bool offer_to_recorder(const StreamCall& call) { return current_recorder && current_recorder(call); }

}  // namespace gpueval::emulator
