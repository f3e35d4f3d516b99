// SPDX-License-Identifier: Apache-2.0
// Files that a user asked for. They get their name when they are whole: until commit(), and after an error, what was
// there before is still there, and the new content is in "<path>.part" beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gpueval {

// What an earlier run left, to be read and written behind: the .part file of one that was killed, or else the file
// itself, copied.
enum class Earlier { kDropped, kKept };

// Throws Error that names the path and the system's reason. Constructing it early refuses a place that cannot be
// written before hours are spent. The .part file is this user's own, no link, and locked against a second writer. An
// existing pipe or character device (/dev/null) is written straight. A symbolic link is followed once, at the start:
// what it points to is replaced, not the link.
class OutputFile {
 public:
  explicit OutputFile(std::string path, Earlier earlier = Earlier::kDropped);
  ~OutputFile();  // without commit() or leave_part(): removes the .part file
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& path() const { return path_; }
  bool seekable() const { return !part_.empty(); }
  void write(std::span<const std::byte> bytes);  // behind what is there
  void write(std::string_view text);
  void write_at(std::uint64_t offset, std::string_view text);  // over what is there; only if seekable()
  std::uint64_t size() const;                                  // 0 unless seekable()
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> bytes) const;  // fewer at the end
  void cut(std::uint64_t size);  // what is behind is lost, and write() goes on there; only if seekable()
  void leave_part();             // for a later run, whatever becomes of this one
  void commit();                 // to the disk, then to its name

 private:
  void open_part();
  void copy_target();
  friend void check_writable(const std::string& path);
  struct Probe {};
  OutputFile(std::string path, Probe);
  void write_bytes(const char* data, std::size_t bytes, std::int64_t offset);

  std::string path_, target_, part_;  // part_ is empty for pipes and devices
  int descriptor_ = -1;
  bool stays_ = false;
};

// Both paths lead to the same file, whether it exists or not: ./x and x, symbolic and hard links. Never true of pipes
// and devices, which take what comes.
bool same_place(const std::string& a, const std::string& b);

// Throws Error with the system's reason where an OutputFile would, and leaves everything as it was.
void check_writable(const std::string& path);

// Writes a whole file.
void write_file(const std::string& path, std::string_view text);

}  // namespace gpueval
