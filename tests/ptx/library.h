// SPDX-License-Identifier: Apache-2.0
// The kernels of all PTX files that the build made, found by the name that nvcc registers them under, decoded when they
// are first launched.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ptx/kernel.h"

namespace gpueval::ptx {

class Library {
 public:
  // Throws Error: no such kernel, or something in it that is not known.
  const Kernel& find(const std::string& mangled_name);

  std::vector<std::string> names() const;

  void add_file(const std::string& name, std::string text);  // instead of one of that name
  const std::string& text_of(const std::string& name) const;

 private:
  struct Entry {
    std::string file;
    std::size_t begin;
    int line;
    std::unique_ptr<Kernel> kernel;
  };
  std::map<std::string, std::string> texts_;  // file stem -> text
  std::map<std::string, Entry> entries_;      // by plain_name()
  std::mutex guard_;
};

// All files of the build.
Library& library();

// nvcc names anonymous namespaces by hashes of the file and of its own options, which differ here: without them.
std::string plain_name(std::string_view mangled);

}  // namespace gpueval::ptx
