// SPDX-License-Identifier: Apache-2.0
// Streams of the emulated device. By default work runs when it is enqueued. With deferral on, it waits until somebody
// synchronizes and then runs in any order that streams and events allow (seeded), so that a missing event shows.
#pragma once

#include <functional>

namespace gpueval::emulator {

void set_deferred(bool deferred);  // process-wide
// stream: from make_stream(), or nullptr: at once. early: may be empty; with deferral it is called once before the work
// in front of it in the stream, or before what is in front of that, if that has one, too.
void enqueue(void* stream, std::function<void()> work, std::function<void()> early = {});

void* make_stream();
void destroy_stream(void* stream);
void* make_event();
void destroy_event(void* event);
void record(void* event, void* stream);  // the event is reached when the stream's work so far is done
void wait(void* stream, void* event);    // later work of the stream waits for the event's last record
void synchronize(void* stream);          // nullptr: every stream

}  // namespace gpueval::emulator
