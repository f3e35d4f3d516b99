// SPDX-License-Identifier: Apache-2.0
#include "ptx/library.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gpueval/error.h"
#include "ptx/decoder.h"
#include "ptx/text.h"

namespace gpueval::ptx {

// "..58_GLOBAL__N__323714ee_25_conv_s8_naive_cu_36e6b96e3Row.." -> ".._GLOBAL__N_25_conv_s8_naive_cu3Row.."
std::string plain_name(std::string_view mangled) {
  constexpr std::string_view kMark = "_GLOBAL__N__";
  constexpr std::size_t kHash = 8;
  std::string plain;
  for (std::size_t at; (at = mangled.find(kMark)) != mangled.npos;) {
    const std::size_t digits = mangled.find_last_not_of("0123456789", at - 1) + 1;
    const std::size_t length = std::stoul(std::string(mangled.substr(digits, at - digits)));
    const std::string_view name = mangled.substr(at, length);
    if (name.size() < kMark.size() + 2 * kHash + 2) fail("PTX: a kernel's name is not understood: {}", mangled);
    plain += std::string(mangled.substr(0, digits)) + "_GLOBAL__N";
    plain += name.substr(kMark.size() + kHash, name.size() - kMark.size() - 2 * kHash - 1);
    mangled.remove_prefix(at + length);
  }
  return plain + std::string(mangled);
}

void Library::add_file(const std::string& name, std::string text) {
  const std::lock_guard lock(guard_);
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.file == name; });
  const std::string& kept = texts_[name] = std::move(text);
  int line = 1;
  std::size_t counted = 0;
  constexpr std::string_view kEntry = ".entry";
  for (std::size_t at = 0; (at = kept.find(kEntry, at)) != kept.npos; at += kEntry.size()) {
    line += static_cast<int>(std::count(kept.begin() + static_cast<std::ptrdiff_t>(counted),
                                        kept.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted = at;
    const std::size_t first = at + kEntry.size();
    const std::string_view mangled = trimmed(std::string_view(kept).substr(first, kept.find('(', first) - first));
    const auto [entry, added] = entries_.emplace(plain_name(mangled), Entry{name, at, line, nullptr});
    if (!added) fail("PTX: {} is in {} and in {}", mangled, entry->second.file, name);
  }
}

std::vector<std::string> Library::names() const {
  std::vector<std::string> all;
  for (const auto& [name, entry] : entries_) all.push_back(name);
  return all;
}

const std::string& Library::text_of(const std::string& name) const {
  const auto text = texts_.find(name);
  if (text == texts_.end()) fail("PTX: there is no {}.ptx", name);
  return text->second;
}

const Kernel& Library::find(const std::string& mangled_name) {
  const std::lock_guard lock(guard_);
  const auto found = entries_.find(plain_name(mangled_name));
  if (found == entries_.end()) fail("PTX: no file has the kernel {}", mangled_name);
  Entry& entry = found->second;
  if (entry.kernel == nullptr) {
    const Function function = parse_function(entry.file + ".ptx", texts_.at(entry.file), entry.begin, entry.line);
    entry.kernel = std::make_unique<Kernel>(decode(function));
  }
  return *entry.kernel;
}

Library& library() {
  static Library all;
  static const bool read = [] {
    for (const char* const paths : {GPUEVAL_PTX_FILES, GPUEVAL_PTX_HOPPER_FILES}) {
      std::ifstream list(paths);  // one a line
      if (!list) fail("PTX: cannot read {}", paths);
      for (std::string path; std::getline(list, path);) {
        std::ifstream in(path);
        if (!in) fail("PTX: cannot read {}", path);
        std::stringstream text;
        text << in.rdbuf();
        all.add_file(std::filesystem::path(path).stem().stem().string(), text.str());
      }
    }
    return true;
  }();
  static_cast<void>(read);
  return all;
}

}  // namespace gpueval::ptx
