// SPDX-License-Identifier: Apache-2.0
// What lets loading, copying and computing overlap where the device has a pipeline of batches.
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <future>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "eval/loader.h"
#include "gpueval/engine.h"

namespace gpueval {

// Keeps a device with a pipeline busy: the next batch is on its way while one is computed.
class Pipelined {
 public:
  explicit Pipelined(Engine& engine) : engine_(engine), pipeline_(engine.pipeline()) {}
  // Whatever ends the work early leaves the engine without batches under way.
  ~Pipelined() {
    try {
      finish();
    } catch (const std::exception&) {  // the failure that led here is being reported
    }
  }
  Pipelined(const Pipelined&) = delete;
  Pipelined& operator=(const Pipelined&) = delete;

  // What the outputs refer to is there after finish().
  void run(std::span<const float> input, int n, std::vector<std::span<float>> outputs) {
    if (pipeline_ == nullptr) {
      engine_.run(input, n, Outputs(outputs));
      return;
    }
    make_room();
    pipeline_->submit(input, n);
    under_way_.push_back(std::move(outputs));
  }
  // The same for a device that preprocesses.
  void run_decoded(std::span<const Image> images, const PixelTable& table, std::vector<std::span<float>> outputs) {
    make_room();
    engine_.preprocessing()->submit(images, table);
    under_way_.push_back(std::move(outputs));
  }
  void finish() {
    while (!under_way_.empty()) collect();
  }

 private:
  void make_room() {
    if (under_way_.size() == static_cast<std::size_t>(pipeline_->depth())) collect();
  }
  void collect() {
    const std::vector<std::span<float>> outputs = std::move(under_way_.front());
    under_way_.pop_front();
    pipeline_->collect(Outputs(outputs));
  }
  Engine& engine_;
  Pipeline* pipeline_;
  std::deque<std::vector<std::span<float>>> under_way_;
};

// Loads one chunk ahead, on a thread of its own, for devices that leave the CPU idle.
class ReadAhead {
 public:
  ReadAhead(Loader& loader, bool ahead) : loader_(loader), ahead_(ahead) {}
  bool next(LoadedChunk& chunk) {
    if (!ahead_) return loader_.next(chunk);
    if (!coming_.valid()) start();
    std::optional<LoadedChunk> loaded = coming_.get();
    if (!loaded) return false;
    chunk = std::move(*loaded);
    start();
    return true;
  }

 private:
  void start() {
    coming_ = std::async(std::launch::async, [this]() -> std::optional<LoadedChunk> {
      LoadedChunk chunk;
      if (!loader_.next(chunk)) return std::nullopt;
      return chunk;
    });
  }
  Loader& loader_;
  bool ahead_;
  std::future<std::optional<LoadedChunk>> coming_;  // its destructor waits
};

}  // namespace gpueval
