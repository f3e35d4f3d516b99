// SPDX-License-Identifier: Apache-2.0
#include "emulator/stream.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "emulator/emulator.h"
#include "emulator/stream_recorder.h"

namespace gpueval::emulator {
namespace {

struct Event {
  std::uint64_t recorded = 0;  // how often record() was called
  std::uint64_t reached = 0;   // the newest record whose stream got there
};

struct Item {
  enum class Kind { kWork, kRecord, kWait } kind;
  std::function<void()> work;
  std::shared_ptr<Event> event;
  std::uint64_t number = 0;       // of the event's record
  std::function<void()> early{};  // of kWork: may be called before the item in front is run
  bool begun = false;             // it was
};

struct Stream {
  std::deque<Item> items;
};

bool runnable(const Stream& stream) {
  if (stream.items.empty()) return false;
  const Item& item = stream.items.front();
  return item.kind != Item::Kind::kWait || item.event->reached >= item.number;
}

class Queues {
 public:
  bool deferred = false;
  std::exception_ptr error;  // of work that nobody was there to hear of; the next synchronize() throws it
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<std::unique_ptr<std::shared_ptr<Event>>> events;

  // Runs items in random order until done() holds.
  template <typename Done>
  void drain(const Done& done) {
    std::mt19937_64 random(options().seed + runs_++);
    std::vector<Stream*> ready;
    while (!done()) {
      ready.clear();
      for (const auto& stream : streams) {
        if (runnable(*stream)) ready.push_back(stream.get());
      }
      // Never empty: an item waits only for records that were enqueued before it.
      step(*ready.at(random() % ready.size()));
    }
  }

 private:
  // What follows may have begun, as far as each begins before the one in front of it has ended.
  static void begin_early(Stream& stream) {
    for (Item& item : stream.items) {
      if (!item.early) return;
      if (!std::exchange(item.begun, true)) item.early();
    }
  }
  void step(Stream& stream) {
    const Item item = std::move(stream.items.front());
    stream.items.pop_front();
    if (item.kind == Item::Kind::kRecord) item.event->reached = std::max(item.event->reached, item.number);
    if (item.kind != Item::Kind::kWork) return;
    try {
      begin_early(stream);
      item.work();
    } catch (...) {  // as on a device after an error: what was enqueued is lost
      for (const auto& other : streams) other->items.clear();
      for (const auto& event : events) (*event)->reached = (*event)->recorded;
      throw;
    }
  }
  std::uint64_t runs_ = 0;
};

Queues queues;
std::recursive_mutex guard;  // work may enqueue more

Stream& stream_of(void* handle) { return *static_cast<Stream*>(handle); }
std::shared_ptr<Event>& event_of(void* handle) { return *static_cast<std::shared_ptr<Event>*>(handle); }

template <typename T>
void remove(std::vector<std::unique_ptr<T>>& from, void* handle) {
  std::erase_if(from, [handle](const std::unique_ptr<T>& item) { return item.get() == handle; });
}

}  // namespace

void set_deferred(bool deferred) {
  const std::lock_guard lock(guard);
  synchronize(nullptr);
  queues.deferred = deferred;
}

void enqueue(void* stream, std::function<void()> work, std::function<void()> early) {
  if (offer_to_recorder({.kind = StreamCall::Kind::kWork, .stream = stream, .work = work, .early = early})) return;
  {
    const std::lock_guard lock(guard);
    if (queues.deferred && stream != nullptr) {
      stream_of(stream).items.push_back(
          {.kind = Item::Kind::kWork, .work = std::move(work), .event = nullptr, .early = std::move(early)});
      return;
    }
  }
  work();
}

void* make_stream() {
  const std::lock_guard lock(guard);
  return queues.streams.emplace_back(std::make_unique<Stream>()).get();
}

void destroy_stream(void* stream) {
  const std::lock_guard lock(guard);
  try {
    queues.drain([&] { return stream_of(stream).items.empty(); });
  } catch (...) {
    if (queues.error == nullptr) queues.error = std::current_exception();
  }
  remove(queues.streams, stream);
}

void* make_event() {
  const std::lock_guard lock(guard);
  return queues.events.emplace_back(std::make_unique<std::shared_ptr<Event>>(std::make_shared<Event>())).get();
}

void destroy_event(void* event) {
  const std::lock_guard lock(guard);
  remove(queues.events, event);
}

void record(void* event, void* stream) {
  if (offer_to_recorder({.kind = StreamCall::Kind::kRecord, .stream = stream, .event = event})) return;
  const std::lock_guard lock(guard);
  const std::shared_ptr<Event>& e = event_of(event);
  const std::uint64_t number = ++e->recorded;
  if (queues.deferred && stream != nullptr) {
    stream_of(stream).items.push_back({.kind = Item::Kind::kRecord, .work = {}, .event = e, .number = number});
  } else {
    e->reached = number;
  }
}

void wait(void* stream, void* event) {
  if (offer_to_recorder({.kind = StreamCall::Kind::kWait, .stream = stream, .event = event})) return;
  const std::lock_guard lock(guard);
  const std::shared_ptr<Event> e = event_of(event);
  const std::uint64_t number = e->recorded;
  if (e->reached >= number) return;
  if (stream != nullptr) {
    stream_of(stream).items.push_back({.kind = Item::Kind::kWait, .work = {}, .event = e, .number = number});
  } else {
    queues.drain([&] { return e->reached >= number; });
  }
}

void synchronize(void* stream) {
  const std::lock_guard lock(guard);
  if (queues.error != nullptr) std::rethrow_exception(std::exchange(queues.error, nullptr));
  if (stream != nullptr) {
    queues.drain([&] { return stream_of(stream).items.empty(); });
  } else {
    queues.drain([] {
      return std::all_of(queues.streams.begin(), queues.streams.end(), [](const auto& s) { return s->items.empty(); });
    });
  }
}

}  // namespace gpueval::emulator
