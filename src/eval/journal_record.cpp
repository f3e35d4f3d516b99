// SPDX-License-Identifier: Apache-2.0
#include "eval/journal_record.h"

#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string_view>

#include "core/input_file.h"
#include "core/sha256.h"

namespace gpueval {
namespace {

static_assert(std::endian::native == std::endian::little, "the journal is written as little-endian numbers");
constexpr std::size_t kDigestBytes = 64;  // as text
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kHeadBytes = 8 + kDigestBytes;

void put(std::string& out, std::uint64_t value) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}

void put_text(std::string& out, std::string_view text) {
  text = text.substr(0, Journal::kLongestText);
  put(out, text.size());
  out += text;
}

void put_bytes(std::string& out, const void* bytes, std::size_t count) {
  out.append(static_cast<const char*>(bytes), count);
}

void put_score(std::string& out, const Score& score) {
  put(out, score.size());
  put_bytes(out, score.data(), score.size() * sizeof(score[0]));
}

// Reads a body front to back and sums it up; what is not there, or is too long, turns `ok` false for good.
class BodyReader {
 public:
  BodyReader(int file, std::int64_t offset, std::uint64_t bytes) : file_(file), offset_(offset), left_(bytes) {}

  bool ok() const { return ok_; }
  std::uint64_t left() const { return left_; }
  std::string digest() { return sum_.hex(); }

  void read(void* to, std::size_t bytes) {
    if (!ok_ || bytes > left_ || read_at(file_, offset_, static_cast<char*>(to), bytes) != bytes) {
      ok_ = false;
      return;
    }
    sum_.update(std::string_view(static_cast<const char*>(to), bytes));
    offset_ += static_cast<std::int64_t>(bytes);
    left_ -= bytes;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    read(&value, sizeof(value));
    return ok_ ? value : 0;
  }
  std::string text() {
    const std::uint64_t length = number();
    ok_ = ok_ && length <= Journal::kLongestText;
    return bytes(ok_ ? length : 0);
  }
  std::string bytes(std::size_t count) {
    ok_ = ok_ && count <= left_;
    std::string result(ok_ ? count : 0, '\0');
    read(result.data(), result.size());
    return result;
  }
  Score score() {
    const std::uint64_t count = number();
    ok_ = ok_ && count <= left_ / sizeof(double);
    Score result(ok_ ? count : 0);
    read(result.data(), result.size() * sizeof(double));
    return result;
  }

 private:
  int file_;
  std::int64_t offset_;
  std::uint64_t left_;
  bool ok_ = true;
  Sha256 sum_;
};

bool read_images(BodyReader& body, const JournalShape& shape, std::size_t first, ChunkResult& chunk) {
  chunk.first = body.number();
  chunk.count = body.number();
  const std::uint64_t judged = body.number(), skipped = body.number();
  const std::size_t rest = shape.first + shape.count - first;
  if (!body.ok() || chunk.first != first || chunk.count == 0 || chunk.count > std::min(rest, Journal::kMostImages) ||
      judged > chunk.count || skipped != chunk.count - judged) {
    return false;
  }
  chunk.images.resize(judged);
  static_assert(sizeof(chunk.images[0]) == sizeof(std::uint64_t));
  body.read(chunk.images.data(), judged * sizeof(std::uint64_t));
  chunk.skipped.clear();
  for (std::uint64_t i = 0; i < skipped && body.ok(); ++i) {
    const std::uint64_t index = body.number();
    std::string name = body.text();
    chunk.skipped.push_back({index, std::move(name), body.text()});
  }
  return body.ok();
}

// Each image of the chunk once, in order, on one of the two lists; the skipped ones by their names.
bool names_each_image_once(const ChunkResult& chunk, const JournalShape& shape) {
  auto judged = chunk.images.begin();
  auto skipped = chunk.skipped.begin();
  for (std::size_t image = chunk.first; image < chunk.first + chunk.count; ++image) {
    if (judged != chunk.images.end() && *judged == image) {
      ++judged;
    } else if (skipped != chunk.skipped.end() && skipped->index == image) {
      if (shape.name_of && skipped->name != shape.name_of(image).substr(0, Journal::kLongestText)) return false;
      ++skipped;
    } else {
      return false;
    }
  }
  return true;
}

bool read_engine(BodyReader& body, const JournalShape& shape, std::size_t engine, ChunkResult& chunk) {
  ChunkScores& scores = chunk.engines[engine];
  for (const std::size_t image : chunk.images) {
    scores.image_sha256.push_back(body.bytes(kHashBytes));
    scores.samples.push_back(body.score());
    scores.pairs.push_back(body.score());
    if (!body.ok()) return false;
    if (shape.possible && !shape.possible(image, engine, scores.samples.back(), scores.pairs.back())) return false;
  }
  body.read(scores.sum.hash.data(), sizeof(scores.sum.hash));
  scores.sum.bytes = body.number();
  body.read(scores.sum.rest.data(), sizeof(scores.sum.rest));
  return body.ok();
}

}  // namespace

std::string encode_record(const ChunkResult& chunk) {
  std::string body;
  put(body, chunk.first);
  put(body, chunk.count);
  put(body, chunk.images.size());
  put(body, chunk.skipped.size());
  for (const std::size_t image : chunk.images) put(body, image);
  for (const SkippedImage& image : chunk.skipped) {
    put(body, image.index);
    put_text(body, image.name);
    put_text(body, image.reason);
  }
  for (const ChunkScores& scores : chunk.engines) {
    for (std::size_t i = 0; i < chunk.images.size(); ++i) {
      body += scores.image_sha256[i];
      put_score(body, scores.samples[i]);
      put_score(body, scores.pairs[i]);
    }
    put_bytes(body, scores.sum.hash.data(), sizeof(scores.sum.hash));
    put(body, scores.sum.bytes);
    put_bytes(body, scores.sum.rest.data(), sizeof(scores.sum.rest));
  }
  Sha256 sum;
  sum.update(body);
  std::string record;
  put(record, body.size());
  return record + sum.hex() + body;
}

std::int64_t read_record(int file, std::int64_t offset, const JournalShape& shape, std::size_t first,
                         ChunkResult& chunk) {
  char head[kHeadBytes];
  struct stat status {};
  if (read_at(file, offset, head, kHeadBytes) != kHeadBytes || ::fstat(file, &status) != 0) return 0;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, head, sizeof(bytes));
  const std::int64_t start = offset + static_cast<std::int64_t>(kHeadBytes);
  if (status.st_size < start || bytes > static_cast<std::uint64_t>(status.st_size - start)) return 0;
  BodyReader body(file, start, bytes);
  if (!read_images(body, shape, first, chunk) || !names_each_image_once(chunk, shape)) return 0;
  chunk.engines.assign(shape.engines, {});
  for (std::size_t e = 0; e < shape.engines; ++e) {
    if (!read_engine(body, shape, e, chunk)) return 0;
  }
  const bool whole = body.left() == 0 && body.digest() == std::string_view(head + sizeof(bytes), kDigestBytes);
  return whole ? static_cast<std::int64_t>(kHeadBytes + bytes) : 0;
}

}  // namespace gpueval
