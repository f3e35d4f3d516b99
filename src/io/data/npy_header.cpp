// SPDX-License-Identifier: Apache-2.0
#include "io/data/npy_header.h"

#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "gpueval/error.h"

namespace gpueval::data {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 1 << 16, kMostAxes = 32;

// Reads the dict {'descr': '<f4', 'fortran_order': False, 'shape': (10, 28, 28, 1), } piece by piece. What does not fit
// is nullopt or false.
class DictReader {
 public:
  explicit DictReader(std::string_view text) : rest_(text) {}

  bool take(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }
  std::optional<std::string> string() {
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
    const auto end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }
  std::optional<bool> boolean() {
    skip_blanks();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    return std::nullopt;
  }
  std::optional<std::vector<std::uint64_t>> tuple() {
    std::vector<std::uint64_t> values;
    if (!take('(')) return std::nullopt;
    while (!take(')')) {
      const auto value = number();
      if (!value || values.size() == kMostAxes) return std::nullopt;
      values.push_back(*value);
      if (take(',')) continue;
      if (values.size() < 2 || !take(')')) return std::nullopt;  // (3) is no tuple
      break;
    }
    return values;
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size())); }
  std::optional<std::uint64_t> number() {
    skip_blanks();
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    if (rest_.starts_with('L')) rest_.remove_prefix(1);  // Python 2's long
    return value;
  }

  std::string_view rest_;
};

struct Dict {
  std::optional<std::string> type;
  std::optional<bool> fortran;
  std::optional<std::vector<std::uint64_t>> shape;
  bool records = false;  // the type is a list of fields, and nothing behind it was read
};

std::optional<Dict> read_dict(std::string_view text) {
  DictReader reader(text);
  Dict dict;
  if (!reader.take('{')) return std::nullopt;
  while (!reader.take('}')) {
    const auto key = reader.string();
    if (!key || !reader.take(':')) return std::nullopt;
    if (*key == "descr") {
      dict.type = reader.string();
      dict.records = !dict.type && reader.take('[');
      if (dict.records) return dict;
      if (!dict.type) return std::nullopt;
    } else if (*key == "fortran_order") {
      dict.fortran = reader.boolean();
      if (!dict.fortran) return std::nullopt;
    } else if (*key == "shape") {
      dict.shape = reader.tuple();
      if (!dict.shape) return std::nullopt;
    } else {
      return std::nullopt;
    }
    if (reader.take(',')) continue;
    if (!reader.take('}')) return std::nullopt;
    break;
  }
  return reader.at_end() ? std::optional(dict) : std::nullopt;
}

// Of "<f4": the order, the kind and the bytes.
bool take_type(std::string_view text, NpyHeader& header) {
  if (text.size() != 3) return false;
  header.kind = text[1];
  header.bytes = static_cast<std::size_t>(text[2] - '0');
  header.big_endian = text[0] == '>';
  const bool order = header.bytes == 1 ? std::string_view("|<>=").find(text[0]) != std::string_view::npos
                                       : text[0] == '<' || text[0] == '>';
  switch (header.kind) {
    case 'b':
      return order && header.bytes == 1;
    case 'i':
    case 'u':
      return order && (header.bytes == 1 || header.bytes == 2 || header.bytes == 4 || header.bytes == 8);
    case 'f':
      return order && (header.bytes == 2 || header.bytes == 4 || header.bytes == 8);
    default:
      return false;
  }
}

// Bytes of all elements; nullopt: more than there can be.
std::optional<std::uint64_t> data_bytes(const NpyHeader& header) {
  std::uint64_t total = header.bytes;
  for (const std::uint64_t extent : header.shape) {
    if (__builtin_mul_overflow(total, extent, &total)) return std::nullopt;
  }
  return total;
}

void check_length(const ByteSource& file, const NpyHeader& header) {
  const auto expected = data_bytes(header);
  const std::uint64_t found = file.size() - header.first;
  if (expected && *expected == found) return;
  fail("{}: holds {} bytes behind its header, expected {} for {} of shape {}", file.name(), found,
       expected ? std::to_string(*expected) : "more than any file has", header.type(), header.shape_text());
}

// The dict's text; leaves the offset behind it in *end.
std::string header_text(const ByteSource& file, std::uint64_t* end) {
  std::array<std::uint8_t, 12> begin{};
  const std::size_t size = std::min<std::uint64_t>(begin.size(), file.size());
  if (!is_npy(file) || size < begin.size()) {
    fail("{}: expected a NumPy array (np.save), found {}", file.name(),
         file.size() == 0 ? "nothing"
         : is_npy(file)   ? "a file that is cut short"
                          : "something else");
  }
  file.read(0, begin);
  if (begin[6] < 1 || begin[6] > 3) fail("{}: NumPy format {}.{}, expected 1 to 3", file.name(), begin[6], begin[7]);
  const bool wide = begin[6] > 1;
  std::uint64_t length = begin[8] + begin[9] * 256u;
  if (wide) length += (std::uint64_t{begin[10]} << 16) + (std::uint64_t{begin[11]} << 24);
  const std::uint64_t at = wide ? 12 : 10;
  if (length > kMaxHeader || length > file.size() - at) {
    fail("{}: a header of {} bytes, expected at most {}", file.name(), length,
         std::min<std::uint64_t>(kMaxHeader, file.size() - at));
  }
  std::string text(length, '\0');
  file.read(at, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  *end = at + length;
  return text;
}

}  // namespace

std::string NpyHeader::type() const {
  if (kind == 'b') return "bool";
  return fmt::format("{}{}", kind == 'u' ? "uint" : kind == 'i' ? "int" : "float", 8 * bytes);
}

std::string NpyHeader::shape_text() const {
  return shape.size() == 1 ? fmt::format("({},)", shape[0]) : fmt::format("({})", fmt::join(shape, ", "));
}

bool is_npy(const ByteSource& file) {
  if (file.size() < kNpyMagic.size()) return false;
  std::array<std::uint8_t, kNpyMagic.size()> begin{};
  file.read(0, begin);
  return std::equal(begin.begin(), begin.end(), kNpyMagic.begin(),
                    [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); });
}

NpyHeader read_npy_header(const ByteSource& file) {
  NpyHeader header;
  const std::string text = header_text(file, &header.first);
  const std::optional<Dict> dict = read_dict(text);
  if (dict && dict->records) fail("{}: holds records of several fields, expected numbers", file.name());
  if (!dict || !dict->type || !dict->fortran || !dict->shape)
    fail("{}: its header is damaged: {}", file.name(), text.substr(0, 120));
  if (!take_type(*dict->type, header))
    fail("{}: holds elements of type {}, expected numbers", file.name(), *dict->type);
  header.shape = *dict->shape;
  if (*dict->fortran && header.shape.size() > 1) {
    fail("{}: is in Fortran order; save it in C order (np.ascontiguousarray)", file.name());
  }
  check_length(file, header);
  return header;
}

}  // namespace gpueval::data
