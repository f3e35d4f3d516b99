// SPDX-License-Identifier: Apache-2.0
#include "io/weights/zip_archive.h"

#include <zip.h>

#include <algorithm>
#include <memory>

#include "gpueval/error.h"

namespace gpueval {
namespace {

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

Archive open_archive(const std::string& name, std::optional<std::span<const std::byte>> bytes) {
  if (!bytes) {
    int code = 0;
    return Archive(zip_open(name.c_str(), ZIP_RDONLY, &code));
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes->data(), bytes->size(), 0, &error);
  zip_t* archive = source != nullptr ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (archive == nullptr && source != nullptr) zip_source_free(source);
  zip_error_fini(&error);
  return Archive(archive);
}

}  // namespace

std::vector<std::byte> read_zip_entry(const std::string& name, std::optional<std::span<const std::byte>> bytes,
                                      const std::string& entry) {
  const Archive archive = open_archive(name, bytes);
  if (!archive) fail("{}: expected a .keras archive, found a truncated or damaged zip file; fetch it again", name);
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat(archive.get(), entry.c_str(), 0, &stat) != 0) {
    fail("{}: expected a .keras archive, found a zip file without '{}'", name, entry);
  }
  const std::unique_ptr<zip_file_t, CloseEntry> file(zip_fopen(archive.get(), entry.c_str(), 0));
  // Grows with what is really there: the declared size is only a promise.
  constexpr std::size_t kStep = 64u << 20;
  std::vector<std::byte> result;
  std::size_t used = 0;
  while (file && used < stat.size) {
    result.resize(static_cast<std::size_t>(std::min<zip_uint64_t>(stat.size, std::max(2 * used, kStep))));
    const zip_int64_t count = zip_fread(file.get(), result.data() + used, result.size() - used);
    if (count <= 0) break;
    used += static_cast<std::size_t>(count);
  }
  if (!file || used != stat.size) fail("{}: '{}' in the archive is damaged or encrypted; fetch it again", name, entry);
  return result;
}

}  // namespace gpueval
