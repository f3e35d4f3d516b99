// SPDX-License-Identifier: Apache-2.0
// Journals of any bytes: what is replayed lies in the run's images, names each once, and reads the same again. An input
// is the file behind its header; where it begins with 'R', each record is summed up as if a forger had done it.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "core/sha256.h"
#include "eval/journal.h"
#include "gpueval/error.h"
#include "temporary_file.h"

namespace {

const gpueval::JournalShape kShape{.engines = 2, .first = 4, .count = 40};

// 'R', then bodies, each behind its length in a byte: as a journal has them.
std::string forged(std::string_view bodies) {
  std::string records;
  while (!bodies.empty()) {
    const std::size_t length = std::min<std::size_t>(static_cast<unsigned char>(bodies[0]) * 4, bodies.size() - 1);
    const std::string_view body = bodies.substr(1, length);
    const std::uint64_t bytes = body.size();
    gpueval::Sha256 sum;
    sum.update(body);
    records.append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
    records += sum.hex();
    records += body;
    bodies.remove_prefix(1 + length);
  }
  return records;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void check(const gpueval::ChunkResult& chunk, std::size_t first) {
  if (chunk.first != first || chunk.count == 0 || chunk.first + chunk.count > kShape.first + kShape.count) std::abort();
  if (chunk.images.size() + chunk.skipped.size() != chunk.count || chunk.engines.size() != kShape.engines) std::abort();
  for (const std::size_t image : chunk.images) {
    if (image < chunk.first || image >= chunk.first + chunk.count) std::abort();
  }
  if (std::adjacent_find(chunk.images.begin(), chunk.images.end(), std::greater_equal<>()) != chunk.images.end())
    std::abort();
  for (const gpueval::ChunkScores& scores : chunk.engines) {
    if (scores.samples.size() != chunk.images.size() || scores.pairs.size() != chunk.images.size()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const gpueval::fuzz::TemporaryFile file("journal");
  static const std::string header = [] {
    gpueval::Journal(file.path(), "key", kShape, false);
    return contents(file.path());
  }();
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const std::string journal = header + (input.starts_with('R') ? forged(input.substr(1)) : std::string(input));
  file.write(journal.data(), journal.size());
  {
    gpueval::Journal opened(file.path(), "key", kShape, true);
    std::size_t next = kShape.first;
    for (gpueval::ChunkResult chunk; opened.replay(chunk); next += chunk.count) check(chunk, next);
  }
  const std::string kept = contents(file.path());
  if (!journal.starts_with(kept)) std::abort();  // what is not believed is cut off, the rest is as it was
  return 0;
}
