// SPDX-License-Identifier: Apache-2.0
#include "ptx/text.h"

#include <algorithm>
#include <charconv>

#include "gpueval/error.h"

namespace gpueval::ptx {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

int bits_of_type(std::string_view type) {  // "pred", "b32", "f64", "u8"
  if (type == "pred") return 1;
  int bits = 0;
  if (type.size() > 1) std::from_chars(type.data() + 1, type.data() + type.size(), bits);
  return bits;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  int depth = 0;
  std::string part;
  for (const char c : text) {
    if (c == '{' || c == '[' || c == '(') ++depth;
    if (c == '}' || c == ']' || c == ')') --depth;
    if (c == separator && depth == 0) {
      parts.emplace_back(trimmed(part));
      part.clear();
    } else {
      part += c;
    }
  }
  if (!trimmed(part).empty()) parts.emplace_back(trimmed(part));
  return parts;
}

class Parser {
 public:
  Parser(const std::string& file, std::string_view text, std::size_t begin, int line)
      : text_(text), at_(begin), line_(line) {
    function_.file = file;
  }

  Function run() {
    at_ += std::string_view(".entry").size();
    function_.name = std::string(trimmed(until("(")));
    parameters(until(")"));
    bounds(until("{"));
    while (body()) {
    }
    return std::move(function_);
  }

 private:
  [[noreturn]] void fail_here(std::string_view what, std::string_view text) const {
    fail("{}:{}: {} '{}'", function_.file, line_, what, text);
  }

  char next() {
    if (at_ >= text_.size()) fail_here("the text ends within", function_.name);
    if (text_.compare(at_, 2, "//") == 0) at_ = std::min(text_.find('\n', at_), text_.size() - 1);
    if (text_[at_] == '\n') ++line_;
    return text_[at_++];
  }
  std::string until(std::string_view ends) {
    std::string read;
    for (char c = next(); ends.find(c) == ends.npos; c = next()) read += c;
    return read;
  }

  // ".param .align 8 .b8 NAME[256]" or ".param .u64 NAME"
  void parameters(const std::string& list) {
    for (const std::string& text : split(list, ',')) {
      const std::vector<std::string> words = split(text, ' ');
      std::string name = words.back();
      std::size_t count = 1, align = 0, bytes = 0;
      if (const auto bracket = name.find('['); bracket != name.npos) {
        count = std::stoul(name.substr(bracket + 1));
        name.resize(bracket);
      }
      for (std::size_t i = 1; i + 1 < words.size(); ++i) {
        if (words[i] == ".align") {
          align = std::stoul(words[++i]);
        } else if (!words[i].empty()) {
          bytes = static_cast<std::size_t>(bits_of_type(std::string_view(words[i]).substr(1)) / 8);
        }
      }
      if (bytes == 0) fail_here("a parameter of unknown type", text);
      align = std::max(align, bytes);
      std::size_t& end = function_.parameter_bytes;
      end = (end + align - 1) / align * align;
      function_.parameters[name] = {end, bytes * count};
      end += bytes * count;
    }
  }

  // ".maxntid 256, 1, 1" and ".minnctapersm 2" behind it
  void bounds(const std::string& directives) {
    constexpr std::string_view kThreads = ".maxntid";
    const std::size_t at = directives.find(kThreads);
    if (at == directives.npos) return;
    function_.max_threads = static_cast<std::uint32_t>(std::stoul(directives.substr(at + kThreads.size())));
  }

  // One statement, label or brace; false: the kernel's closing brace.
  bool body() {
    std::string text;
    int begin = line_;
    for (;;) {
      const char c = next();
      const bool blank = trimmed(text).empty();
      if (blank) begin = line_;
      if (blank && c == '{') {
        ++scopes_;
        return true;
      }
      if (blank && c == '}') return scopes_-- > 0;
      if (c == ';') break;
      text += c;
      if (c == ':' && text_.compare(at_, 1, ":") == 0) {  // "shared::cta"
        text += next();
        continue;
      }
      if (c == ':' && text.find_first_of("%,[") == text.npos) {
        text.pop_back();
        function_.labels[std::string(trimmed(text))] = function_.statements.size();
        return true;
      }
    }
    if (!trimmed(text).empty()) statement(std::string(trimmed(text)), begin);
    return true;
  }

  void statement(const std::string& text, int line) {
    if (text[0] == '.') return declaration(text);
    Statement s{.line = line, .guard = {}, .name = {}, .operands = {}, .text = text};
    std::string_view rest = text;
    if (rest[0] == '@') {
      const std::size_t end = rest.find_first_of(kSpaces);
      std::string_view guard = rest.substr(1, end - 1);
      s.negated = guard[0] == '!';
      s.guard = std::string(guard.substr(s.negated ? 1 : 0));
      rest = trimmed(rest.substr(end));
    }
    const std::size_t end = std::min(rest.find_first_of(kSpaces), rest.size());
    s.name = split(rest.substr(0, end), '.');
    s.operands = split(rest.substr(end), ',');
    function_.statements.push_back(std::move(s));
  }

  // ".reg .b32 %r<12>" and, in the braces of inline assembly, ".reg .b16 low, high"
  void declaration(const std::string& text) {
    if (text.rfind(".reg", 0) != 0) {
      if (text.rfind(".pragma", 0) == 0 || text.rfind(".loc", 0) == 0) return;
      fail_here("a declaration that is not known:", text);
    }
    const std::size_t type = text.find('.', 4), end = text.find_first_of(kSpaces, type);
    const int bits = bits_of_type(std::string_view(text).substr(type + 1, end - type - 1));
    if (bits == 0) fail_here("registers of unknown type", text);
    for (const std::string& name : split(std::string_view(text).substr(end), ',')) {
      const auto [at, added] = function_.register_bits.emplace(name.substr(0, name.find('<')), bits);
      if (!added && at->second != bits) fail_here("two types of register", text);
    }
  }

  std::string_view text_;
  std::size_t at_;
  int line_;
  int scopes_ = 0;
  Function function_;
};

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

Function parse_function(const std::string& file, std::string_view text, std::size_t begin, int line) {
  return Parser(file, text, begin, line).run();
}

}  // namespace gpueval::ptx
