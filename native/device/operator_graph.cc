#include "device/operator_graph.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace zero_rl {

namespace {

// Before every other key.
constexpr auto kKey = c10::DispatchKey::TESTING_ONLY_GenericMode;

using Memory = std::unordered_map<const c10::StorageImpl*, c10::Storage>;

// A tensor as a kernel sees it: an address, sizes and strides. Memory that the step made is kept, other memory is not.
class Operand {
 public:
  Operand(const at::Tensor& tensor, const Memory& made)
      : storage_(tensor.storage().getWeakStorageImpl()),
        keys_(tensor.key_set()),
        dtype_(tensor.dtype()),
        sizes_(tensor.sizes().vec()),
        strides_(tensor.strides().vec()),
        offset_(tensor.storage_offset()) {
    const auto found = made.find(tensor.storage().unsafeGetStorageImpl());
    if (found != made.end()) kept_ = found->second;
  }

  // Undefined where its memory is gone.
  at::Tensor tensor() const {
    c10::intrusive_ptr<c10::StorageImpl> storage = storage_.lock();
    if (!storage) return {};
    at::Tensor result =
        at::detail::make_tensor<c10::TensorImpl>(c10::Storage(std::move(storage)), keys_, dtype_);
    result.unsafeGetTensorImpl()->set_sizes_and_strides(sizes_, strides_, offset_);
    return result;
  }

 private:
  c10::weak_intrusive_ptr<c10::StorageImpl> storage_;
  c10::Storage kept_;
  c10::DispatchKeySet keys_;
  caffe2::TypeMeta dtype_;
  std::vector<int64_t> sizes_;
  std::vector<int64_t> strides_;
  int64_t offset_;
};

using Argument = std::variant<c10::IValue, Operand, std::vector<Operand>>;

struct Call {
  c10::OperatorHandle op;
  std::vector<Argument> arguments;
  std::vector<Operand> results;  // tensors that it made
};

bool makes_uninitialised(const std::string& name) {
  return name.starts_with("aten::empty") || name.starts_with("aten::new_empty");
}

bool has_memory(const c10::IValue& value) { return value.isTensor() && value.toTensor().defined(); }

bool writes(const c10::Argument& argument) {
  return argument.alias_info() != nullptr && argument.alias_info()->isWrite();
}

void fill(const at::Tensor& tensor, int byte) { std::memset(tensor.data_ptr(), byte, tensor.nbytes()); }

class OperatorGraph : public Graph {
 public:
  void replay() override {
    torch::jit::Stack stack;
    for (const Call& call : calls_) {
      stack.clear();
      for (const Argument& argument : call.arguments) stack.push_back(value_of(argument, call.op));
      if (makes_uninitialised(call.op.schema().name())) {
        fill(call.results.front().tensor(), 0xFF);  // NaN: what was there before belongs to nobody
        continue;
      }
      call.op.callBoxed(stack);
      size_t next = 0;
      for (const c10::IValue& value : stack) {
        if (next == call.results.size() || !has_memory(value)) continue;
        const at::Tensor result = call.results[next++].tensor();
        TORCH_CHECK(value.toTensor().sizes() == result.sizes(), "Expected ", call.op.operator_name(),
                    " in a recorded step to give the sizes ", result.sizes(), " as when it was recorded but received ",
                    value.toTensor().sizes());
        result.copy_(value.toTensor());
      }
    }
  }

  void record(const c10::OperatorHandle& op, torch::jit::Stack& stack) {
    const c10::FunctionSchema& schema = op.schema();
    const size_t count = schema.arguments().size();
    const std::vector<c10::IValue> given(stack.end() - static_cast<int64_t>(count), stack.end());
    check(op, given);
    Call call{op, arguments_of(given), {}};
    bool writing = false;
    for (const c10::Argument& argument : schema.arguments()) writing = writing || writes(argument);
    if (writing) {
      torch::jit::drop(stack, count);
      for (const c10::Argument& result : schema.returns()) stack.push_back(written(op, given, result));
      calls_.push_back(std::move(call));
      return;
    }
    // What is not known to be written has no values yet: it is run for the sizes of its results.
    op.callBoxed(stack);
    for (auto result = stack.end() - static_cast<int64_t>(schema.returns().size()); result != stack.end(); ++result) {
      keep_new(op, *result, given, call);
    }
    if (!call.results.empty()) calls_.push_back(std::move(call));  // others are views
  }

 private:
  static void check(const c10::OperatorHandle& op, const std::vector<c10::IValue>& given) {
    const c10::FunctionSchema& schema = op.schema();
    const bool of_tensors = !given.empty() && (given.front().isTensor() || given.front().isTensorList());
    if (!of_tensors) return;
    for (const c10::Argument& result : schema.returns()) {
      const bool tensors = result.type()->isSubtypeOf(*c10::TensorType::get()) ||
                           result.type()->isSubtypeOf(*c10::ListType::ofTensors());
      TORCH_CHECK(tensors, "Expected a step whose operators run on the device alone but received one that needs ",
                  op.operator_name(), " of a tensor on the host");
    }
    if (schema.name() != "aten::to" && schema.name() != "aten::_to_copy") return;
    for (size_t i = 0; i < given.size(); ++i) {
      TORCH_CHECK(schema.arguments()[i].name() != "device" || given[i].isNone(),
                  "Expected a step whose tensors stay on the device but received one that moves them by ",
                  op.operator_name());
    }
  }

  std::vector<Argument> arguments_of(const std::vector<c10::IValue>& given) const {
    std::vector<Argument> result;
    for (const c10::IValue& value : given) {
      if (has_memory(value)) {
        result.emplace_back(Operand(value.toTensor(), made_));
      } else if (value.isTensorList()) {
        std::vector<Operand> list;
        for (const at::Tensor& tensor : value.toTensorVector()) list.emplace_back(tensor, made_);
        result.emplace_back(std::move(list));
      } else {
        result.emplace_back(value);
      }
    }
    return result;
  }

  static at::Tensor alive(const Operand& operand, const c10::OperatorHandle& op) {
    at::Tensor tensor = operand.tensor();
    TORCH_CHECK(tensor.defined(), "Expected the tensors of a recorded step to outlive it but one of ",
                op.operator_name(), " is gone");
    return tensor;
  }

  static c10::IValue value_of(const Argument& argument, const c10::OperatorHandle& op) {
    if (const auto* value = std::get_if<c10::IValue>(&argument)) return *value;
    if (const auto* operand = std::get_if<Operand>(&argument)) return alive(*operand, op);
    std::vector<at::Tensor> tensors;
    for (const Operand& operand : std::get<std::vector<Operand>>(argument)) tensors.push_back(alive(operand, op));
    return tensors;
  }

  // The argument that an operator gives back after it wrote to it.
  static c10::IValue written(const c10::OperatorHandle& op, const std::vector<c10::IValue>& given,
                             const c10::Argument& result) {
    const auto& arguments = op.schema().arguments();
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (writes(arguments[i]) && writes(result) &&
          arguments[i].alias_info()->beforeSets() == result.alias_info()->beforeSets()) {
        return given[i];
      }
    }
    TORCH_CHECK(false, "Expected operators that either write or make tensors in a recorded step but received ",
                op.operator_name());
  }

  void keep_new(const c10::OperatorHandle& op, const c10::IValue& result, const std::vector<c10::IValue>& given,
                Call& call) {
    if (result.isTensorList()) {
      for (const at::Tensor& tensor : result.toTensorVector()) {
        TORCH_CHECK(is_view(tensor, given), "Expected no operator in a recorded step that makes a list of tensors but ",
                    "received ", op.operator_name());
      }
      return;
    }
    if (!has_memory(result) || is_view(result.toTensor(), given)) return;
    const at::Tensor& tensor = result.toTensor();
    made_.emplace(tensor.storage().unsafeGetStorageImpl(), tensor.storage());
    if (makes_uninitialised(op.schema().name())) fill(tensor, 0);
    call.results.emplace_back(tensor, made_);
  }

  static bool is_view(const at::Tensor& tensor, const std::vector<c10::IValue>& given) {
    for (const c10::IValue& value : given) {
      if (has_memory(value) && value.toTensor().is_alias_of(tensor)) return true;
    }
    return false;
  }

  Memory made_;
  std::vector<Call> calls_;
};

thread_local OperatorGraph* recorded_to = nullptr;

void record_call(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const c10::impl::ExcludeDispatchKeyGuard once(kKey);
  if (recorded_to == nullptr) {
    op.callBoxed(*stack);  // a comparison of operators is under way, which has the key for itself (native/bench/on_cuda.cc)
  } else {
    recorded_to->record(op, *stack);
  }
}

// Registered when first needed: it is no part of what users run.
void register_recording() {
  static const auto* const library = [] {
    auto* made = new torch::Library(torch::Library::IMPL, "_", kKey, __FILE__, __LINE__);
    made->fallback(torch::CppFunction::makeFromBoxedFunction<&record_call>());
    return made;
  }();
  static_cast<void>(library);
}

}  // namespace

std::unique_ptr<Graph> record_operators(const std::function<void()>& step) {
  register_recording();
  auto graph = std::make_unique<OperatorGraph>();
  struct Recording {
    explicit Recording(OperatorGraph* graph) { recorded_to = graph; }
    ~Recording() { recorded_to = nullptr; }
    c10::impl::IncludeDispatchKeyGuard included{kKey};
  } recording(graph.get());
  step();
  return graph;
}

}  // namespace zero_rl
