// SPDX-License-Identifier: Apache-2.0
// The journal of an accuracy run: the logits of every finished chunk of images, so that a killed run can continue.
// Replaying goes through the same judge as computing, so a resumed run's result, logits hash and saved logits are those
// of an uninterrupted one. It costs 4 bytes x classes an image and engine (200 MB for 50,000 images and 1,000 classes).
//
// File, little-endian: "GPUEVALJ", u32 version, u32 engines, u32 classes, SHA-256 of the key (64 hex characters); then
// records: u64 bytes of the body, SHA-256 of the body (64 hex characters), body. Body: u64 first, u64 count, u64
// judged, u64 skipped; judged x u64 image index; skipped x (u64 index, u64 length, name, u64 length, reason); engines x
// judged x classes float32.
//
// The file is believed as little as any other: a record counts only if it continues at the image where the one before
// ended, stays in the images of the run and names each of its own once, in order, as judged or as skipped. Any other
// one, torn, damaged or forged, ends the journal: it and all behind it are cut off. Memory is bounded by one record,
// and that by the bytes that are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

struct JournalShape {
  std::size_t engines = 0, classes = 0;
  std::size_t first = 0, count = 0;  // the run judges images [first, first + count)
  std::function<std::string(std::size_t)> name_of =
      {};  // of an image, as skipped ones are recorded; empty: any will do
};

class Journal {
 public:
  static constexpr std::size_t kMostImages = 8192;   // of one record
  static constexpr std::size_t kLongestText = 4096;  // bytes of a skipped image's name or reason; longer ones are cut

  // Opens for replay and appending. A journal of another key or version, or resume = false, starts anew. The folder is
  // made, for this user alone, if it is missing. Throws Error if folder or file are not this user's own
  // (core/cache_folder.h), the file cannot be written or another process holds it.
  Journal(std::string path, const std::string& key, const JournalShape& shape, bool resume);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  bool replay(ChunkResult& chunk);  // the next finished chunk; false (and the rest is cut off) after the last good one
  void append(const ChunkResult& chunk);

 private:
  void start_anew(const std::string& header);
  void write_at(std::int64_t offset, const std::string& bytes);

  std::string path_;
  JournalShape shape_;
  int file_ = -1;
  std::int64_t position_ = 0;   // end of the last good record read or written
  std::size_t next_image_ = 0;  // where the next record begins
};

}  // namespace gpueval
