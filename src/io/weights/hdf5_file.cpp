// SPDX-License-Identifier: Apache-2.0
#include "io/weights/hdf5_file.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <filesystem>

#include "gpueval/error.h"
#include "io/weights/zip_archive.h"

namespace gpueval {
namespace {

// Deflate cannot expand by more; the other permitted filters keep the size.
constexpr std::uint64_t kMaxCompression = 1032;
constexpr std::uint64_t kMaxListBytes = 64u << 20;
constexpr std::size_t kMaxChildren = 100'000;

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// Half, single and double precision of either byte order, and nothing stranger that a file might declare.
bool is_ieee(hid_t type) {
  if (H5Tget_class(type) != H5T_FLOAT) return false;
  const H5Handle half(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(half.get(), 15, 10, 5, 0, 10);
  H5Tset_size(half.get(), 2);
  H5Tset_ebias(half.get(), 15);
  const H5Handle big_half(H5Tcopy(half.get()), H5Tclose);
  H5Tset_order(big_half.get(), H5T_ORDER_BE);
  for (const hid_t known :
       {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, half.get(), big_half.get()}) {
    if (H5Tequal(type, known) > 0) return true;
  }
  return false;
}

bool all_finite(const std::vector<float>& values) {
  constexpr std::uint32_t kExponent = 0x7f800000u;
  bool finite = true;
  for (const float value : values) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    finite &= (bits & kExponent) != kExponent;
  }
  return finite;
}

}  // namespace

H5Guard::H5Guard() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLget_loading_state(&plugins_);
  H5PLset_loading_state(0);
}

H5Guard::~H5Guard() {
  H5PLset_loading_state(plugins_);
  H5Eset_auto2(H5E_DEFAULT, function_, data_);
}

Hdf5File::Hdf5File(const std::function<hid_t()>& open, std::string name, std::uint64_t bytes,
                   std::uint64_t unpacked_limit, Depth depth)
    : file_(open(), H5Fclose),
      name_(std::move(name)),
      unread_bytes_(bytes),
      unpacked_limit_(unpacked_limit),
      depth_(depth) {
  if (file_) root_ = H5Handle(H5Gopen2(file_.get(), "/", H5P_DEFAULT), H5Gclose);
  if (!root_) fail("{}: expected a Keras weight file, found a truncated or damaged HDF5 file; fetch it again", name_);
}

Hdf5File Hdf5File::open(const std::string& path, Depth depth) {
  const auto open = [&] {
    const H5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_file_locking(access.get(), 0, 1);  // a file system without locks is no damaged file
    return H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
  };
  const std::uint64_t bytes = std::filesystem::file_size(path);
  return Hdf5File(open, path, bytes, unpacked_limit(bytes), depth);
}

namespace {

// HDF5's core driver copies an image up to three times; these callbacks hand it the caller's bytes instead (550 MB for
// VGG16). The user data is the image itself. Nothing is written: the file is opened read-only.
H5Handle image_access(std::span<const std::byte> bytes) {
  void* data = const_cast<std::byte*>(bytes.data());
  H5FD_file_image_callbacks_t callbacks{
      .image_malloc = [](std::size_t, H5FD_file_image_op_t, void* image) { return image; },
      .image_memcpy = [](void* dst, const void* src, std::size_t, H5FD_file_image_op_t, void*) -> void* {
        return dst == src ? dst : nullptr;
      },
      .image_realloc = [](void*, std::size_t, H5FD_file_image_op_t, void*) -> void* { return nullptr; },
      .image_free = [](void*, H5FD_file_image_op_t, void*) -> herr_t { return 0; },
      .udata_copy = [](void* image) { return image; },
      .udata_free = [](void*) -> herr_t { return 0; },
      .udata = data};
  H5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  constexpr std::size_t kIncrement = 1 << 16;  // of growth, which never happens
  if (H5Pset_fapl_core(access.get(), kIncrement, 0) < 0 || H5Pset_file_image_callbacks(access.get(), &callbacks) < 0 ||
      H5Pset_file_image(access.get(), data, bytes.size()) < 0) {
    return {};
  }
  return access;
}

}  // namespace

Hdf5File Hdf5File::open_image(std::span<const std::byte> bytes, const std::string& name, Depth depth,
                              std::uint64_t unpacked_limit) {
  // HDF5 takes two images of one name for the same file.
  static std::atomic<int> serial{0};
  const auto open = [&]() -> hid_t {
    const H5Handle access = image_access(bytes);
    if (!access) return H5I_INVALID_HID;
    return H5Fopen(fmt::format("image {}", ++serial).c_str(), H5F_ACC_RDONLY, access.get());
  };
  return Hdf5File(open, name, bytes.size(), unpacked_limit, depth);
}

bool Hdf5File::has_child(const H5Handle& group, const std::string& child) const {
  H5L_info_t info;
  return H5Lexists(group.get(), child.c_str(), H5P_DEFAULT) > 0 &&
         H5Lget_info(group.get(), child.c_str(), &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

bool Hdf5File::is_group(const H5Handle& group, const std::string& child) const {
  if (!has_child(group, child)) return false;
  const H5Handle object(H5Oopen(group.get(), child.c_str(), H5P_DEFAULT), H5Oclose);
  return object && H5Iget_type(object.get()) == H5I_GROUP;
}

H5Handle Hdf5File::open_object(const H5Handle& group, const std::string& path) const {
  H5Handle current;
  const H5Handle* parent = &group;
  for (const std::string& part : split_path(path)) {
    H5Handle next;
    if (has_child(*parent, part)) next = H5Handle(H5Oopen(parent->get(), part.c_str(), H5P_DEFAULT), H5Oclose);
    if (!next) fail("{}: '{}' is named in the file, but not in it; the file is damaged", name_, path);
    current = std::move(next);
    parent = &current;
  }
  if (!current) fail("{}: '{}' does not name an object; the file is damaged", name_, path);
  return current;
}

H5Handle Hdf5File::open_group(const H5Handle& group, const std::string& path) const {
  H5Handle object = open_object(group, path);
  if (H5Iget_type(object.get()) != H5I_GROUP) fail("{}: '{}' should be a group of weights", name_, path);
  return object;
}

std::vector<std::string> Hdf5File::children(const H5Handle& group) const {
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* child, const H5L_info_t*, void* out) -> herr_t {
    auto* list = static_cast<std::vector<std::string>*>(out);
    if (list->size() >= kMaxChildren) return -1;
    list->emplace_back(child);
    return 0;
  };
  hsize_t position = 0;
  if (H5Literate(group.get(), H5_INDEX_NAME, H5_ITER_NATIVE, &position, collect, &names) < 0) {
    fail("{}: the list of a group's members cannot be read; the file is damaged", name_);
  }
  return names;
}

std::optional<std::string> Hdf5File::string_attribute(const H5Handle& object, const std::string& attribute) const {
  const auto list = string_list(object, attribute);
  if (!list || list->size() != 1) return std::nullopt;
  return list->front();
}

namespace {

// Strings of one attribute, of fixed or variable length; nullopt if it is neither a string nor empty.
std::optional<std::vector<std::string>> read_strings(hid_t attribute) {
  const H5Handle type(H5Aget_type(attribute), H5Tclose);
  const H5Handle space(H5Aget_space(attribute), H5Sclose);
  if (!type || !space) return std::nullopt;
  const hssize_t points = H5Sget_simple_extent_npoints(space.get());
  const std::size_t size = H5Tget_size(type.get());
  if (points == 0) return std::vector<std::string>{};
  if (points < 0 || size == 0 || H5Tget_class(type.get()) != H5T_STRING) return std::nullopt;
  const auto count = static_cast<std::uint64_t>(points);
  if (count > kMaxListBytes / size || H5Aget_storage_size(attribute) < count * size) return std::nullopt;

  std::vector<std::string> strings;
  if (H5Tis_variable_str(type.get()) > 0) {
    std::vector<char*> pointers(count, nullptr);
    const bool read = H5Aread(attribute, type.get(), pointers.data()) >= 0;
    std::uint64_t total = 0;  // a file can name one long string many times
    for (const char* text : pointers) {
      total += text != nullptr ? std::strlen(text) : 0;
      if (total <= kMaxListBytes) strings.emplace_back(read && text != nullptr ? text : "");
    }
    H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, pointers.data());
    if (!read || total > kMaxListBytes) return std::nullopt;
    return strings;
  }
  std::vector<char> bytes(count * size);
  if (H5Aread(attribute, type.get(), bytes.data()) < 0) return std::nullopt;
  for (std::uint64_t i = 0; i < count; ++i) {
    const char* text = bytes.data() + i * size;
    strings.emplace_back(text, static_cast<std::size_t>(std::find(text, text + size, '\0') - text));
  }
  return strings;
}

}  // namespace

std::optional<std::vector<std::string>> Hdf5File::string_list(const H5Handle& object,
                                                              const std::string& attribute) const {
  const auto read = [&](const std::string& part) -> std::optional<std::vector<std::string>> {
    if (H5Aexists(object.get(), part.c_str()) <= 0) return std::nullopt;
    const H5Handle handle(H5Aopen(object.get(), part.c_str(), H5P_DEFAULT), H5Aclose);
    auto strings = handle ? read_strings(handle.get()) : std::nullopt;
    if (!strings) fail("{}: the attribute '{}' should be a list of names; the file is damaged", name_, part);
    return strings;
  };
  if (auto whole = read(attribute)) return whole;
  std::optional<std::vector<std::string>> joined;
  for (std::size_t i = 0; i < kMaxChildren; ++i) {
    auto part = read(attribute + std::to_string(i));
    if (!part) break;
    if (!joined) joined.emplace();
    joined->insert(joined->end(), part->begin(), part->end());
  }
  return joined;
}

namespace {

// The name that Keras 3 writes beside opaque bytes, for types that HDF5 does not know; else empty.
std::string opaque_name(hid_t dataset) {
  if (H5Aexists(dataset, "dtype") <= 0) return "";
  const H5Handle attribute(H5Aopen(dataset, "dtype", H5P_DEFAULT), H5Aclose);
  const auto names = attribute ? read_strings(attribute.get()) : std::nullopt;
  return names && names->size() == 1 ? names->front() : "";
}

bool is_bfloat16(hid_t dataset, hid_t type) {
  return H5Tget_class(type) == H5T_OPAQUE && H5Tget_size(type) == 2 && opaque_name(dataset) == "bfloat16";
}

bool is_integer(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  return kind == H5T_INTEGER || kind == H5T_ENUM;  // numpy's booleans are an enumeration
}

// What a type that is no IEEE number is, as far as people know it.
std::string type_name(hid_t dataset, hid_t type) {
  const std::size_t bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return fmt::format("{}{}-bit integers", H5Tget_sign(type) == H5T_SGN_NONE ? "unsigned " : "", bits);
    case H5T_FLOAT:
      return fmt::format("{}-bit floating-point numbers of another form", bits);
    case H5T_STRING:
      return "strings";
    case H5T_ENUM:
      return bits == 8 ? "booleans" : "an enumeration";
    case H5T_COMPOUND:
      return "complex or compound numbers";
    case H5T_OPAQUE:
    default:
      break;
  }
  if (const std::string name = opaque_name(dataset); !name.empty()) return name + " numbers";
  return fmt::format("opaque values of {} bits", bits);
}

}  // namespace

// Before anything else is asked of a dataset: even its extent makes HDF5 open the sources of a virtual one.
void Hdf5File::check_storage(const H5Handle& dataset, const std::string& label) const {
  const H5Handle plist(H5Dget_create_plist(dataset.get()), H5Pclose);
  const H5D_layout_t layout = plist ? H5Pget_layout(plist.get()) : H5D_LAYOUT_ERROR;
  if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) {
    fail("{}: {} is stored outside of the file or in an unknown layout; Keras writes neither", name_, label);
  }
  if (H5Pget_external_count(plist.get()) != 0) fail("{}: {} is stored outside of the file", name_, label);
  const int filters = H5Pget_nfilters(plist.get());
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(plist.get(), static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32) {
      fail("{}: {} is compressed by filter {}; only deflate is supported", name_, label, static_cast<int>(filter));
    }
  }
}

void Hdf5File::check_type(const H5Handle& dataset, const std::string& label) const {
  const H5Handle type(H5Dget_type(dataset.get()), H5Tclose);
  if (!type) fail("{}: {} has no type; the file is damaged", name_, label);
  if (!is_ieee(type.get()) && !is_bfloat16(dataset.get(), type.get())) {
    fail(
        "{}: {} holds {}, expected floating-point numbers (float16, bfloat16, float32, float64); save the model as "
        "float32",
        name_, label, type_name(dataset.get(), type.get()));
  }
}

std::uint64_t Hdf5File::checked_elements(const H5Handle& dataset, const std::vector<std::int64_t>& shape,
                                         const std::string& label) {
  const H5Handle type(H5Dget_type(dataset.get()), H5Tclose);
  const H5Handle plist(H5Dget_create_plist(dataset.get()), H5Pclose);
  const H5D_layout_t layout = H5Pget_layout(plist.get());
  const std::uint64_t stored = H5Dget_storage_size(dataset.get()), item = H5Tget_size(type.get());
  std::uint64_t limit = stored;
  unsigned flags = 0;
  std::size_t values = 0;
  const bool deflated =
      H5Pget_nfilters(plist.get()) > 0 &&
      H5Pget_filter_by_id2(plist.get(), H5Z_FILTER_DEFLATE, &flags, &values, nullptr, 0, nullptr, nullptr) >= 0;
  if (deflated) limit = stored * kMaxCompression;
  std::uint64_t elements = 1;
  for (const std::int64_t extent : shape) {
    if (extent <= 0 || elements > limit / static_cast<std::uint64_t>(extent)) elements = 0;
    elements *= static_cast<std::uint64_t>(extent);
  }
  if (layout == H5D_CHUNKED) {
    std::vector<hsize_t> chunk(shape.size());
    std::uint64_t bytes = item;
    if (H5Pget_chunk(plist.get(), static_cast<int>(chunk.size()), chunk.data()) < 0) bytes = 0;
    for (const hsize_t extent : chunk) bytes = extent == 0 || bytes > limit / extent ? 0 : bytes * extent;
    if (bytes == 0) elements = 0;
  }
  if (elements == 0 || item == 0 || elements > limit / item || stored > unread_bytes_) {
    fail("{}: {} declares the shape {}, but the file holds {} bytes for it; the file is damaged", name_, label,
         shape_string(shape), std::min(stored, unread_bytes_));
  }
  unread_bytes_ -= stored;
  const std::uint64_t unpacked = elements * sizeof(float);
  if (unpacked > unpacked_limit_) {
    fail("{}: {} of the shape {} is more than a file of this size may hold unpacked; it is no file of Keras", name_,
         label, shape_string(shape));
  }
  unpacked_limit_ -= unpacked;
  return elements;
}

namespace {

bool read_bfloat16(hid_t dataset, hid_t type, std::vector<float>& values) {
  std::vector<std::uint16_t> halves(values.size());
  if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, halves.data()) < 0) return false;
  std::transform(halves.begin(), halves.end(), values.begin(),
                 [](std::uint16_t half) { return std::bit_cast<float>(std::uint32_t{half} << 16); });
  return true;
}

bool read_values(hid_t dataset, std::vector<float>& values) {
  const H5Handle type(H5Dget_type(dataset), H5Tclose);
  if (is_bfloat16(dataset, type.get())) return read_bfloat16(dataset, type.get(), values);
  return H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0;
}

}  // namespace

Array Hdf5File::read_floats(const H5Handle& group, const std::string& path, const std::string& label) {
  return read_dataset(group, path, label, false);
}

Array Hdf5File::read_numbers(const H5Handle& group, const std::string& path, const std::string& label) {
  return read_dataset(group, path, label, true);
}

Array Hdf5File::read_dataset(const H5Handle& group, const std::string& path, const std::string& label, bool integers) {
  const H5Handle dataset = open_object(group, path);
  if (H5Iget_type(dataset.get()) != H5I_DATASET) fail("{}: {} should be an array", name_, label);
  check_storage(dataset, label);
  const H5Handle space(H5Dget_space(dataset.get()), H5Sclose);
  const int rank = space ? H5Sget_simple_extent_ndims(space.get()) : -1;
  if (rank < 0 || rank > 8) fail("{}: {} should be an array of at most 8 dimensions", name_, label);
  std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr);
  Array array;
  for (const hsize_t extent : extents) array.shape.push_back(static_cast<std::int64_t>(extent));
  const H5Handle type(H5Dget_type(dataset.get()), H5Tclose);
  if (integers && type && is_integer(type.get())) return array;
  check_type(dataset, label);

  const std::uint64_t elements = checked_elements(dataset, array.shape, label);
  const H5Handle plist(H5Dget_create_plist(dataset.get()), H5Pclose);
  if (depth_ == Depth::kStructure && H5Pget_layout(plist.get()) != H5D_CHUNKED) return array;
  auto values = std::make_shared<std::vector<float>>(elements);
  if (!read_values(dataset.get(), *values)) {
    fail("{}: {} cannot be read; the file is damaged", name_, label);
  }
  if (!all_finite(*values)) fail("{}: {} holds a NaN or an infinity; expected finite weights", name_, label);
  array.data = std::move(values);
  return array;
}

}  // namespace gpueval
