// SPDX-License-Identifier: Apache-2.0
#include "io/weights/foreign_file.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>

namespace gpueval {
namespace {

using std::string_view_literals::operator""sv;

struct Magic {
  std::size_t at;
  std::string_view bytes;
  const char* kind;
};
constexpr std::array kMagics{
    Magic{4, "TFL3"sv, "a TensorFlow Lite model; save the Keras model that it was converted from"},
    Magic{0, "version https://git-lfs.github.com/"sv,
          "a Git LFS pointer, not the file that it stands for; fetch that by `git lfs pull`"},
    Magic{0, "model_checkpoint_path"sv, "the list of a TensorFlow checkpoint; load it in Keras and save a .keras file"},
    Magic{0, "\x1f\x8b"sv, "a gzip archive; unpack it first"},
    Magic{0,
          "\xfd"
          "7zXZ"sv,
          "an xz archive; unpack it first"},
    Magic{0, "BZh"sv, "a bzip2 archive; unpack it first"},
    Magic{0, "\x28\xb5\x2f\xfd"sv, "a zstd archive; unpack it first"},
    Magic{0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive; unpack it first"},
    Magic{257, "ustar"sv, "a tar archive; unpack it first"},
    Magic{0, "PK\x05\x06"sv, "an empty zip archive; fetch it again"},
    Magic{0, "\x93NUMPY"sv, "a NumPy array, not a network's weights"},
    Magic{0, "GGUF"sv, "a GGUF model"},
    Magic{0, "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv,
          "a PyTorch file; export the weights from Keras"},
    Magic{0, "\x80\x02"sv, "a Python pickle (of PyTorch or scikit-learn, perhaps)"},
    Magic{0, "\x80\x03"sv, "a Python pickle (of PyTorch or scikit-learn, perhaps)"},
    Magic{0, "\x80\x04"sv, "a Python pickle (of PyTorch or scikit-learn, perhaps)"},
    Magic{0, "\x80\x05"sv, "a Python pickle (of PyTorch or scikit-learn, perhaps)"},
    Magic{0, "MATLAB"sv, "a MATLAB file"},
    Magic{0, "CDF\x01"sv, "a NetCDF file"},
    Magic{0, "CDF\x02"sv, "a NetCDF file"},
    Magic{0, "\xff\xd8\xff"sv, "a JPEG image"},
    Magic{0, "\x89PNG"sv, "a PNG image"},
    Magic{0, "%PDF"sv, "a PDF document"},
    Magic{0,
          "\x7f"
          "ELF"sv,
          "a program"},
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

// TensorFlow's checkpoint index is a LevelDB table: it ends, not begins, with its mark; the name has to do.
std::string kind_by_name(std::string_view head, const std::string& path) {
  const std::string name = lower(std::filesystem::path(path).filename().string());
  constexpr const char* kCheckpoint = "a TensorFlow checkpoint; load it in Keras and save a .keras file";
  if (name.ends_with(".index") || name.find(".data-0") != std::string::npos) return kCheckpoint;
  if (name.ends_with(".meta")) return "the graph of a TensorFlow checkpoint; save a .keras file from Keras";
  // Field 1 of ONNX's ModelProto is a small number, of TensorFlow's graphs a message.
  const bool small_field = head.size() > 2 && head[0] == 0x08 && head[1] > 0 && head[1] < 32;
  if (name.ends_with(".onnx") || (small_field && (head[2] == 0x12 || head[2] == 0x3a || head[2] == 0x22))) {
    return "an ONNX model; save the Keras model that it was made from";
  }
  if (name.ends_with(".pb")) return "a TensorFlow graph (SavedModel or frozen); save a .keras file from Keras";
  return {};
}

bool is_safetensors(std::string_view head) {
  if (head.size() < 9 || head[8] != '{') return false;
  return std::all_of(head.begin() + 4, head.begin() + 8, [](char c) { return c == 0; });
}

}  // namespace

std::string kind_of_foreign_file(std::string_view head, const std::string& path) {
  for (const Magic& magic : kMagics) {
    if (head.size() >= magic.at && head.substr(magic.at).starts_with(magic.bytes)) return magic.kind;
  }
  if (is_safetensors(head)) return "a safetensors file; save the weights from Keras";
  if (std::string kind = kind_by_name(head, path); !kind.empty()) return kind;
  if (std::all_of(head.begin(), head.end(), [](char c) { return c == 0; })) {
    return "zeros only, as of a download that was cut off; fetch it again";
  }
  const bool has_mark = head.starts_with("\xef\xbb\xbf");
  const std::size_t first = std::min(head.find_first_not_of(" \t\r\n", has_mark ? 3 : 0), head.size());
  const std::string start = lower(head.substr(first, 256));
  if (start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head") ||
      (start.starts_with("<") && start.find("<html") != std::string::npos)) {
    return "an HTML page, as of a link that leads to a page about the file; download the file itself";
  }
  if (start.starts_with("<?xml") || start.starts_with("<")) return "XML text, as of a server's error message";
  const bool is_text = std::all_of(head.begin(), head.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r' || c == '\t';
  });
  if (is_text && start.starts_with("{")) {
    return "JSON text (a network's description without its weights, perhaps); name the file of the weights";
  }
  return is_text ? "text" : "something unknown";
}

std::string kind_of_foreign_folder(const std::string& path) {
  std::error_code error;
  const auto has = [&](const char* name) { return std::filesystem::exists(std::filesystem::path(path) / name, error); };
  if (has("saved_model.pb") || has("saved_model.pbtxt")) {
    return "a TensorFlow SavedModel folder; load it in Keras and save a .keras file";
  }
  if (has("model.weights.h5")) return "an unpacked .keras archive; name the model.weights.h5 in it";
  if (has("checkpoint")) return "a folder of TensorFlow checkpoints; load one in Keras and save a .keras file";
  return "a folder";
}

}  // namespace gpueval
