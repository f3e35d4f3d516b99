// SPDX-License-Identifier: Apache-2.0
// The journal of an accuracy run: the scores of every finished chunk of images, so that a killed run can continue.
// Replaying gives the judge what computing gave it, so a resumed run's result and hashes are those of an uninterrupted
// one. It costs about 100 bytes an image and engine for classification.
//
// File, little-endian: "GPUEVALJ", u32 version, u32 engines, SHA-256 of the key (64 hex characters); then records: u64
// bytes of the body, SHA-256 of the body (64 hex characters), body. Body: u64 first, u64 count, u64 judged, u64
// skipped; judged x u64 image index; skipped x (u64 index, u64 length, name, u64 length, reason); engines x (judged x
// (SHA-256 of the image's outputs (32 bytes), score of the image, score of the pair), state of the sum of all outputs
// up to here (8 x u32, u64 bytes, 64 bytes)). A score: u64 count, count x float64.
//
// The file is believed as little as any other: a record counts only if it continues at the image where the one before
// ended, stays in the images of the run, names each of its own once, in order, as judged or as skipped, and has scores
// that are possible. Any other one, torn, damaged or forged, ends the journal: it and all behind it are cut off. Memory
// is bounded by one record, and that by the bytes that are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/sha256.h"
#include "gpueval/accuracy.h"

namespace gpueval {

// What one engine made of a chunk's judged images.
struct ChunkScores {
  std::vector<Score> samples, pairs;      // pairs: against the first engine; empty scores of the first itself
  std::vector<std::string> image_sha256;  // 32 bytes each
  Sha256State sum;                        // of the outputs of all images of the run until the chunk's end
};

struct ChunkResult {
  std::size_t first = 0, count = 0;   // images [first, first + count) of the data
  std::vector<std::size_t> images;    // those judged
  std::vector<SkippedImage> skipped;  // the others
  std::vector<ChunkScores> engines;
};

struct JournalShape {
  std::size_t engines = 0;
  std::size_t first = 0, count = 0;  // the run judges images [first, first + count)
  // Of an image, as skipped ones are recorded; empty: any will do.
  std::function<std::string(std::size_t)> name_of = {};
  // Whether an image can have this score and this one against the first engine; empty: any will do.
  std::function<bool(std::size_t image, std::size_t engine, const Score& sample, const Score& pair)> possible = {};
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
  void take_back(const ChunkResult& chunk);  // the chunk just replayed: it and all behind it are cut off
  void append(const ChunkResult& chunk);

 private:
  void start_anew(const std::string& header);
  void write_at(std::int64_t offset, const std::string& bytes);

  std::string path_;
  JournalShape shape_;
  int file_ = -1;
  std::int64_t position_ = 0;   // end of the last good record read or written
  std::int64_t before_ = 0;     // and of the one before it
  std::size_t next_image_ = 0;  // where the next record begins
};

}  // namespace gpueval
