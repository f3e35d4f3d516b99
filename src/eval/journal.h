// SPDX-License-Identifier: Apache-2.0
// The journal of an accuracy run: the logits of every finished chunk of images, so that a killed run can continue.
// Replaying goes through the same judge as computing, so a resumed run's result, logits hash and saved logits are those
// of an uninterrupted one. It costs 4 bytes x classes an image and engine (200 MB for 50,000 images and 1,000 classes).
//
// File, little-endian: "GPUEVALJ", u32 version, u32 engines, u32 classes, SHA-256 of the key (64 hex characters); then
// records: u64 bytes of the body, SHA-256 of the body (64 hex characters), body. Body: u64 first, u64 count, u64
// judged, u64 skipped; judged x u64 image index; skipped x (u64 index, u64 length, name, u64 length, reason); engines x
// judged x classes float32. A torn or damaged record ends the journal: it and all behind it are cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gpueval/accuracy.h"

namespace gpueval {

// What the engines made of one chunk of images.
struct ChunkResult {
  std::size_t first = 0, count = 0;        // images [first, first + count) of the data
  std::vector<std::size_t> images;         // those judged
  std::vector<SkippedImage> skipped;       // the others
  std::vector<std::vector<float>> logits;  // per engine: images.size() x classes
};

class Journal {
 public:
  // Opens for replay and appending. A journal of another key, or resume = false, starts anew. Throws Error if the file
  // cannot be written or another process holds it.
  Journal(std::string path, const std::string& key, std::size_t engines, std::size_t classes, bool resume);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  bool replay(ChunkResult& chunk);  // the next finished chunk; false (and the torn tail is cut) after the last
  void append(const ChunkResult& chunk);

 private:
  void start_anew(const std::string& header);
  std::string read_at(std::int64_t offset, std::size_t bytes) const;  // shorter at the end of the file
  void write_at(std::int64_t offset, const std::string& bytes);

  std::string path_;
  std::size_t engines_, classes_;
  int file_ = -1;
  std::int64_t position_ = 0;  // end of the last good record read or written
};

}  // namespace gpueval
