// SPDX-License-Identifier: Apache-2.0
// What each opcode does to the stack.
#include "gpueval/error.h"
#include "io/data/pickle_machine.h"
#include "io/data/pickle_opcodes.h"

namespace gpueval::data {

bool PickleMachine::step_number(std::uint8_t opcode) {
  const auto push_long = [this](std::uint64_t length) {
    bool fits = false;
    const std::int64_t value = long_integer(length, &fits);
    push({fits ? Kind::kInt : Kind::kOtherNumber, value, 0});
  };
  switch (opcode) {
    case op::kNone:
      push({});
      return true;
    case op::kNewTrue:
      push({Kind::kBool, 1, 0});
      return true;
    case op::kNewFalse:
      push({Kind::kBool, 0, 0});
      return true;
    case op::kBinInt:
      push({Kind::kInt, static_cast<std::int32_t>(static_cast<std::uint32_t>(number(4))), 0});
      return true;
    case op::kBinInt1:
      push({Kind::kInt, static_cast<std::int64_t>(number(1)), 0});
      return true;
    case op::kBinInt2:
      push({Kind::kInt, static_cast<std::int64_t>(number(2)), 0});
      return true;
    case op::kLong1:
      push_long(number(1));
      return true;
    case op::kLong4:
      push_long(number(4));
      return true;  // a negative length is a huge one: truncated
    case op::kBinFloat:
      number(8);
      push({Kind::kOtherNumber, 0, 0});
      return true;
    default:
      return false;
  }
}

bool PickleMachine::step_string(std::uint8_t opcode) {
  switch (opcode) {
    case op::kShortBinBytes:
    case op::kShortBinString:
      push(span_of(Kind::kBytes, number(1)));
      return true;  // Python 2 strings are bytes
    case op::kBinBytes:
    case op::kBinString:
      push(span_of(Kind::kBytes, number(4)));
      return true;
    case op::kBinBytes8:
    case op::kByteArray8:
      push(span_of(Kind::kBytes, number(8)));
      return true;
    case op::kShortBinUnicode:
      push(span_of(Kind::kString, number(1)));
      return true;
    case op::kBinUnicode:
      push(span_of(Kind::kString, number(4)));
      return true;
    case op::kBinUnicode8:
      push(span_of(Kind::kString, number(8)));
      return true;
    default:
      return false;
  }
}

bool PickleMachine::step_container(std::uint8_t opcode) {
  switch (opcode) {
    case op::kMark:
      marks_.push_back(stack_.size());
      return true;
    case op::kEmptyList:
      push_list(Kind::kList, {});
      return true;
    case op::kEmptyTuple:
      push_list(Kind::kTuple, {});
      return true;
    case op::kEmptyDict:
      push_list(Kind::kDict, {});
      return true;
    case op::kList:
      push_list(Kind::kList, pop_to_mark());
      return true;
    case op::kTuple:
      push_list(Kind::kTuple, pop_to_mark());
      return true;
    case op::kTuple1:
    case op::kTuple2:
    case op::kTuple3: {
      std::vector<Value> items(static_cast<std::size_t>(opcode - op::kTuple1) + 1);
      for (std::size_t i = items.size(); i-- > 0;) items[i] = pop();
      push_list(Kind::kTuple, std::move(items));
      return true;
    }
    case op::kAppend: {
      const Value item = pop();
      container(top(), Kind::kList, "APPEND").push_back(item);
      return true;
    }
    case op::kAppends: {
      const std::vector<Value> items = pop_to_mark();
      auto& list = container(top(), Kind::kList, "APPENDS");
      list.insert(list.end(), items.begin(), items.end());
      return true;
    }
    case op::kSetItem: {
      const Value value = pop(), key = pop();
      auto& dict = container(top(), Kind::kDict, "SETITEM");
      dict.insert(dict.end(), {key, value});
      return true;
    }
    case op::kDict:
    case op::kSetItems: {
      const std::vector<Value> items = pop_to_mark();
      if (items.size() % 2 != 0) broken("a dict entry without a value");
      if (opcode == op::kDict) {
        push_list(Kind::kDict, items);
      } else {
        auto& dict = container(top(), Kind::kDict, "SETITEMS");
        dict.insert(dict.end(), items.begin(), items.end());
      }
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::step_memo(std::uint8_t opcode) {
  const auto recall = [this](std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) broken(fmt::format("a reference to memo {}, which was not stored", index));
    push(found->second);
  };
  switch (opcode) {
    case op::kMemoize:
      memoize(memo_.size(), top());
      return true;
    case op::kBinPut: {
      const std::uint64_t index = number(1);
      memoize(index, top());
      return true;
    }
    case op::kLongBinPut: {
      const std::uint64_t index = number(4);
      memoize(index, top());
      return true;
    }
    case op::kBinGet:
      recall(number(1));
      return true;
    case op::kLongBinGet:
      recall(number(4));
      return true;
    case op::kDup:
      push(top());
      return true;
    case op::kPopMark:
      pop_to_mark();
      return true;
    case op::kPop:
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        pop();
      }
      return true;
    case op::kFrame: {
      const std::uint64_t length = number(8);
      if (length > source_.size() - position_) {
        fail("{}: truncated pickle: a frame of {} bytes at byte {}, but the file ends at byte {}", source_.name(),
             length, position_, source_.size());
      }
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::step_call(std::uint8_t opcode) {
  switch (opcode) {
    case op::kGlobal: {
      const std::string module = line();
      push(global(module, line()));
      return true;
    }
    case op::kStackGlobal: {
      const Value name = pop(), module = pop();
      push(global(text(module), text(name)));
      return true;
    }
    case op::kReduce: {
      const Value args = pop(), function = pop();
      if (function.kind != Kind::kGlobal || args.kind != Kind::kTuple)
        broken("a call that is no function and arguments");
      push(call(static_cast<Global>(function.a), list(args)));
      return true;
    }
    case op::kBuild: {
      const Value state = pop();
      build(top(), state);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace gpueval::data
