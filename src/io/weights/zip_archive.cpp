// SPDX-License-Identifier: Apache-2.0
#include "io/weights/zip_archive.h"

#include <zip.h>

#include <algorithm>
#include <memory>

#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr zip_int64_t kMaxEntries = 10'000;  // Keras writes three, and a model's own files

struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

zip_t* open_archive(const std::string& name, std::optional<std::span<const std::byte>> bytes) {
  if (!bytes) {
    int code = 0;
    return zip_open(name.c_str(), ZIP_RDONLY, &code);
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes->data(), bytes->size(), 0, &error);
  zip_t* archive = source != nullptr ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (archive == nullptr && source != nullptr) zip_source_free(source);
  zip_error_fini(&error);
  return archive;
}

}  // namespace

std::uint64_t unpacked_limit(std::uint64_t bytes) {
  constexpr std::uint64_t kSmall = 64u << 20, kFactor = 32, kMost = std::uint64_t{4} << 30;
  return std::min(kSmall + kFactor * bytes, kMost + bytes);
}

ZipArchive::ZipArchive(const std::string& name, std::uint64_t bytes, std::optional<std::span<const std::byte>> archive)
    : name_(name), bytes_(bytes), archive_(open_archive(name, archive)) {
  if (archive_ == nullptr) {
    fail("{}: expected a .keras archive, found a truncated or damaged zip file; fetch it again", name);
  }
  const zip_int64_t entries = zip_get_num_entries(archive_, 0);
  if (entries > kMaxEntries) {
    zip_discard(archive_);
    fail("{}: expected a .keras archive, found a zip file of {} entries", name, entries);
  }
}

ZipArchive::~ZipArchive() { zip_discard(archive_); }

bool ZipArchive::has(const std::string& entry) const { return zip_name_locate(archive_, entry.c_str(), 0) >= 0; }

std::string ZipArchive::find_ending(const std::string& end) const {
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive_, 0); ++i) {
    const char* entry = zip_get_name(archive_, static_cast<zip_uint64_t>(i), 0);
    if (entry != nullptr && std::string(entry).ends_with(end)) return entry;
  }
  return {};
}

std::uint64_t ZipArchive::size(const std::string& entry) const {
  int count = 0;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive_, 0); ++i) {
    const char* other = zip_get_name(archive_, static_cast<zip_uint64_t>(i), 0);
    count += other != nullptr && entry == other;
  }
  if (count > 1) fail("{}: '{}' is in the archive {} times; fetch it again", name_, entry, count);
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (count == 0 || zip_stat(archive_, entry.c_str(), 0, &stat) != 0) {
    fail("{}: expected a .keras archive, found a zip file without '{}'", name_, entry);
  }
  constexpr zip_uint64_t kNeeded = ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if ((stat.valid & kNeeded) != kNeeded) fail("{}: '{}' in the archive is damaged; fetch it again", name_, entry);
  if (stat.encryption_method != ZIP_EM_NONE) fail("{}: '{}' in the archive is encrypted", name_, entry);
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) {
    fail("{}: '{}' in the archive is packed by method {}; Keras stores it, and only deflate is supported beside that",
         name_, entry, stat.comp_method);
  }
  if (stat.size > unpacked_limit(bytes_)) {
    fail("{}: '{}' would unpack to {} bytes, but an archive of {} bytes may hold {} at most; it is no file of Keras",
         name_, entry, stat.size, bytes_, unpacked_limit(bytes_));
  }
  return stat.size;
}

void ZipArchive::unpack(const std::string& entry, std::span<std::byte> dst) const {
  const std::unique_ptr<zip_file_t, CloseEntry> file(zip_fopen(archive_, entry.c_str(), 0));
  std::size_t used = 0;
  zip_int64_t count = file ? 1 : -1;
  while (count > 0 && used < dst.size()) {
    count = zip_fread(file.get(), dst.data() + used, dst.size() - used);
    if (count > 0) used += static_cast<std::size_t>(count);
  }
  // The sum is checked at the end only, which one has to read.
  std::byte beyond{};
  if (count >= 0 && used == dst.size()) count = zip_fread(file.get(), &beyond, 1);
  if (count != 0 || used != dst.size()) fail("{}: '{}' in the archive is damaged; fetch it again", name_, entry);
}

std::string ZipArchive::text(const std::string& entry, std::uint64_t max_bytes) const {
  const std::uint64_t bytes = size(entry);
  if (bytes > max_bytes) fail("{}: '{}' has {} bytes, expected at most {}", name_, entry, bytes, max_bytes);
  std::string text(bytes, '\0');
  unpack(entry, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace gpueval
