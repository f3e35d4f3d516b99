// SPDX-License-Identifier: Apache-2.0
// A read-only HDF5 file, with the little of it that weight files need. Hostile files are expected: only hard links are
// followed, nothing outside the file is opened, and no more is allocated than the file can hold.
#pragma once

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gpueval/tensor.h"

namespace gpueval {

// Owns one HDF5 identifier.
class H5Handle {
 public:
  H5Handle() = default;
  H5Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  H5Handle(H5Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  H5Handle& operator=(H5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~H5Handle() {
    if (id_ >= 0) close_(id_);
  }
  explicit operator bool() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  herr_t (*close_)(hid_t) = nullptr;
};

// HDF5 prints its error stack to stderr unless told otherwise, and loads code from HDF5_PLUGIN_PATH for filters that it
// does not know.
class H5Guard {
 public:
  H5Guard();
  ~H5Guard();
  H5Guard(const H5Guard&) = delete;
  H5Guard& operator=(const H5Guard&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
  unsigned plugins_ = 0;
};

class Hdf5File {
 public:
  // kStructure: read_floats checks everything but the numbers, and reads only those whose place is itself data
  // (chunks).
  enum class Depth { kStructure, kAll };

  // name: for messages. Throws Error if this is no HDF5 file or a damaged one.
  static Hdf5File open(const std::string& path, Depth depth);
  // bytes must outlive the result. unpacked_limit: of all numbers that will be read.
  static Hdf5File open_image(std::span<const std::byte> bytes, const std::string& name, Depth depth,
                             std::uint64_t unpacked_limit);

  const std::string& name() const { return name_; }
  const H5Handle& root() const { return root_; }

  bool has_child(const H5Handle& group, const std::string& child) const;
  bool is_group(const H5Handle& group, const std::string& child) const;  // a hard link to one
  // path: components separated by "/". Throws Error if one of them is missing or no hard link.
  H5Handle open_group(const H5Handle& group, const std::string& path) const;
  std::vector<std::string> children(const H5Handle& group) const;

  // One string, or nullopt if there is no such attribute.
  std::optional<std::string> string_attribute(const H5Handle& object, const std::string& attribute) const;
  // A list of strings; Keras splits a large one into attribute0, attribute1, ... nullopt if there is neither.
  std::optional<std::vector<std::string>> string_list(const H5Handle& object, const std::string& attribute) const;

  // A dataset of floating-point numbers of any width, bfloat16 among them, as float32. label: for messages. Throws
  // Error for other types, for non-finite numbers, for declared sizes beyond the file's own and for what lies outside
  // of the file, which is never opened.
  Array read_floats(const H5Handle& group, const std::string& path, const std::string& label);
  // The same; of integers and booleans the shape alone.
  Array read_numbers(const H5Handle& group, const std::string& path, const std::string& label);

 private:
  Array read_dataset(const H5Handle& group, const std::string& path, const std::string& label, bool integers);
  Hdf5File(const std::function<hid_t()>& open, std::string name, std::uint64_t bytes, std::uint64_t unpacked_limit,
           Depth depth);
  H5Handle open_object(const H5Handle& group, const std::string& path) const;
  void check_storage(const H5Handle& dataset, const std::string& label) const;
  void check_type(const H5Handle& dataset, const std::string& label) const;
  std::uint64_t checked_elements(const H5Handle& dataset, const std::vector<std::int64_t>& shape,
                                 const std::string& label);

  H5Guard guard_;  // first: from before the file is opened until after it is closed
  H5Handle file_, root_;
  std::string name_;
  std::uint64_t unread_bytes_;    // each byte of the file can belong to one dataset only
  std::uint64_t unpacked_limit_;  // bytes of float32 that may still be made of them
  Depth depth_;
};

}  // namespace gpueval
