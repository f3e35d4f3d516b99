// SPDX-License-Identifier: Apache-2.0
// atom, red and the fences: blocks run on several host threads.
#include <atomic>

#include "ptx/families.h"
#include "ptx/lanes.h"
#include "ptx/space.h"

namespace gpueval::ptx {
namespace {

enum class Update : std::uint8_t { kAdd, kMax, kMin, kExchange };

template <typename T, Update kUpdate>
T updated(T old, T value) {
  using Unsigned = std::make_unsigned_t<T>;
  if (kUpdate == Update::kAdd) return static_cast<T>(static_cast<Unsigned>(old) + static_cast<Unsigned>(value));
  if (kUpdate == Update::kMax) return old < value ? value : old;
  if (kUpdate == Update::kMin) return value < old ? value : old;
  return value;
}

// row: destination (kNone: red), address, value.
template <Space kSpace, typename T, Update kUpdate>
void update(Warp& warp, const Instruction& i) {
  using Address = std::conditional_t<kSpace == Space::kShared, std::uint32_t, std::uint64_t>;
  const auto* const base = warp.row<Address>(i.row[1]);
  warp.each_lane([&](unsigned lane) {
    const T value = from_slot<T>(warp.row<Slot<T>>(i.row[2])[lane]);
    std::atomic_ref<T> target(*reinterpret_cast<T*>(place<kSpace>(warp, address_of(base[lane], i), sizeof(T))));
    T old = target.load();
    while (!target.compare_exchange_weak(old, updated<T, kUpdate>(old, value))) {
    }
    if (i.row[0] != kNone) warp.row<Slot<T>>(i.row[0])[lane] = to_slot<T>(old);
  });
}

template <Space kSpace, typename T>
Execute find_update(std::string_view name) {
  if (name == "add") return update<kSpace, T, Update::kAdd>;
  if (name == "max") return update<kSpace, T, Update::kMax>;
  if (name == "min") return update<kSpace, T, Update::kMin>;
  if (name == "exch") return update<kSpace, T, Update::kExchange>;
  return nullptr;
}

void decode_update(Decoder& decoder, Instruction& out, bool returns) {
  const Space space = take_space(decoder);
  if (space == Space::kParameter) decoder.fail_here("a state space that is not known");
  static_cast<void>(decoder.take("relaxed"));
  static_cast<void>(decoder.take("gpu"));
  const std::string_view name = decoder.take_any();
  const Type type = decoder.take_type();
  const std::size_t first = returns ? 1 : 0;
  decoder.expect_operands(first + 2, first + 2);
  const Address address = decoder.address(decoder.operand(first));
  if (address.bits != (space == Space::kShared ? 32 : 64)) decoder.fail_here("an address of another size");
  out.row[0] = returns ? decoder.row(decoder.operand(0), type.bits) : kNone;
  out.row[1] = address.row;
  out.row[2] = decoder.row(decoder.operand(first + 1), type.bits);
  out.number = address.displacement;
  const auto of_type = [&]<typename T>() {
    return space == Space::kShared ? find_update<Space::kShared, T>(name) : find_update<Space::kGlobal, T>(name);
  };
  if (type.bits == 32) {
    out.execute = type.is_signed() ? of_type.operator()<std::int32_t>() : of_type.operator()<std::uint32_t>();
  }
  if (out.execute == nullptr) decoder.fail_here("an update that is not known");
}

void fence(Warp&, const Instruction&) { std::atomic_thread_fence(std::memory_order_seq_cst); }

}  // namespace

void decode_atom(Decoder& decoder, Instruction& out) { decode_update(decoder, out, true); }
void decode_red(Decoder& decoder, Instruction& out) { decode_update(decoder, out, false); }

void decode_membar(Decoder& decoder, Instruction& out) {
  if (!decoder.take("gl") && !decoder.take("cta") && !decoder.take("sys"))
    decoder.fail_here("a scope that is not known");
  out.execute = fence;
}
void decode_fence(Decoder& decoder, Instruction& out) {
  if (decoder.take("proxy") || decoder.take("mbarrier_init")) return decode_proxy_fence(decoder, out);
  const bool ordered = decoder.take("acq_rel") || decoder.take("sc");
  if (!ordered || !(decoder.take("gpu") || decoder.take("cta"))) decoder.fail_here("a fence that is not known");
  out.execute = fence;
}

}  // namespace gpueval::ptx
