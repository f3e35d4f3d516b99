// SPDX-License-Identifier: Apache-2.0
// ld and st: parameters, global and shared memory, vectors of 2 and 4. How a line is cached changes no value here.
#include <cstring>

#include "ptx/conversion.h"
#include "ptx/families.h"
#include "ptx/lanes.h"
#include "ptx/space.h"

namespace gpueval::ptx {
namespace {

template <Space kSpace, typename Address, typename Register>
void load(Warp& warp, const Instruction& i) {
  const auto* const base = warp.row<Address>(i.row[0]);
  const std::size_t bytes = i.conversion.from_bits / 8u;
  warp.each_lane([&](unsigned lane) {
    const std::byte* const from = place<kSpace>(warp, address_of(base[lane], i), bytes * i.count);
    for (unsigned e = 0; e < i.count; ++e) {
      std::uint64_t value = 0;
      std::memcpy(&value, from + e * bytes, bytes);
      if (i.row[e + 1] != kNone) {
        warp.row<Register>(i.row[e + 1])[lane] = static_cast<Register>(convert(value, i.conversion));
      }
    }
  });
}

template <Space kSpace, typename Address, typename Register>
void store(Warp& warp, const Instruction& i) {
  const auto* const base = warp.row<Address>(i.row[0]);
  const std::size_t bytes = i.conversion.from_bits / 8u;
  warp.each_lane([&](unsigned lane) {
    std::byte* const to = place<kSpace>(warp, address_of(base[lane], i), bytes * i.count);
    for (unsigned e = 0; e < i.count; ++e) {
      const Register value = warp.row<Register>(i.row[e + 1])[lane];
      std::memcpy(to + e * bytes, &value, bytes);
    }
  });
}

template <template <Space, typename, typename> typename Access>
Execute find_access(Space space, int address_bits, int register_bits) {
  const auto of_register = [&]<Space kSpace, typename Address>() {
    return register_bits == 64 ? Access<kSpace, Address, std::uint64_t>::execute
                               : Access<kSpace, Address, std::uint32_t>::execute;
  };
  if (space == Space::kParameter) return of_register.template operator()<Space::kParameter, std::uint64_t>();
  if (space == Space::kGlobal) return of_register.template operator()<Space::kGlobal, std::uint64_t>();
  return address_bits == 64 ? of_register.template operator()<Space::kShared, std::uint64_t>()
                            : of_register.template operator()<Space::kShared, std::uint32_t>();
}
template <Space kSpace, typename Address, typename Register>
struct Load {
  static constexpr Execute execute = load<kSpace, Address, Register>;
};
template <Space kSpace, typename Address, typename Register>
struct Store {
  static constexpr Execute execute = store<kSpace, Address, Register>;
};

void decode_access(Decoder& decoder, Instruction& out, bool loads) {
  const Space space = take_space(decoder);
  for (const char* caching : {"nc", "ca", "cg", "cs", "volatile"}) static_cast<void>(decoder.take(caching));
  out.count = decoder.take("v2") ? 2 : decoder.take("v4") ? 4 : 1;
  const Type type = decoder.take_type();
  decoder.expect_operands(2, 2);
  const auto registers = decoder.elements(decoder.operand(loads ? 0 : 1));
  if (registers.size() != out.count) decoder.fail_here("a vector of another size");
  const Address address = decoder.address(decoder.operand(loads ? 1 : 0));
  if (address.bits != 64 && !(address.bits == 32 && space == Space::kShared))
    decoder.fail_here("an address of another size");
  out.row[0] = address.row;
  out.number = address.displacement;
  int bits = 0;
  for (std::size_t e = 0; e < registers.size(); ++e) {
    out.row[e + 1] = registers[e] == "_" && loads ? kNone : decoder.wide_row(registers[e], type.bits, bits);
  }
  // Here the type is the memory's: from_bits.
  out.conversion = conversion_of(type, type, bits);
  out.execute = loads ? find_access<Load>(space, address.bits, bits) : find_access<Store>(space, address.bits, bits);
}

}  // namespace

void decode_ld(Decoder& decoder, Instruction& out) { decode_access(decoder, out, true); }
void decode_st(Decoder& decoder, Instruction& out) { decode_access(decoder, out, false); }

}  // namespace gpueval::ptx
