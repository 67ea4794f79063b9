// ATen's operators for tensors of the fake device, by those for the CPU over the same memory. The operators of the engine have
// kernels of their own: those of the CUDA library, which runs on this device's runtime.
#include <ATen/EmptyTensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <ATen/ops/mm.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <cstring>

#include "fake_device.h"
#include "host_tensor.h"
#include "pinned_memory.h"

namespace zero_rl::fake {

namespace {

// Every tensor of the device has this key too, so that all that happens to it passes track().
constexpr auto kTracked = c10::DispatchKey::TESTING_ONLY_GenericWrapper;
constexpr c10::DispatchKeySet kKeys({c10::DispatchKey::CUDA, kTracked});

bool on_device(const c10::IValue& value) {
  return value.isTensor() && value.toTensor().defined() && value.toTensor().is_cuda();
}

bool writes(const c10::Argument& argument) {
  return argument.alias_info() != nullptr && argument.alias_info()->isWrite();
}

at::Tensor empty_like(const at::Tensor& tensor) {
  return at::Tensor(at::detail::empty_strided_generic(tensor.sizes(), tensor.strides(), c10::GetAllocator(at::kCUDA), kKeys,
                                           tensor.scalar_type()));
}

// Says which memory an operator uses, then runs it.
void track(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& arguments = op.schema().arguments();
  const auto& returns = op.schema().returns();
  bool writing = false;
  for (const c10::Argument& argument : arguments) writing = writing || writes(argument);
  const bool view = !writing && !returns.empty() && returns.front().alias_info() != nullptr;
  std::vector<Access> accesses;
  for (size_t i = 0; !view && i < arguments.size(); ++i) {
    const c10::IValue& value = torch::jit::peek(*stack, i, arguments.size());
    const auto use = [&](const at::Tensor& tensor) {
      if (tensor.defined() && tensor.is_cuda() && tensor.numel() > 0) {
        accesses.push_back({tensor.data_ptr(), writes(arguments[i])});
      }
    };
    if (value.isTensor()) use(value.toTensor());
    if (value.isTensorList()) {
      for (const at::Tensor& tensor : value.toTensorVector()) use(tensor);
    }
  }
  if (!accesses.empty() && !op.schema().name().starts_with("aten::empty")) {
    Device::instance().launch(current_stream(), {std::move(accesses), {}});
  }
  const c10::impl::ExcludeDispatchKeyGuard once(kTracked);
  op.callBoxed(*stack);
}

// Products into float32 of bfloat16, which the CPU has none of.
void run_host_operator(const c10::OperatorHandle& op, torch::jit::Stack& stack) {
  const std::string& name = op.schema().name();
  const std::string& overload = op.schema().overload_name();
  if (overload != "dtype_out") {
    op.callBoxed(stack);
  } else if (name == "aten::mm") {  // self, mat2, out_dtype, out
    const at::Tensor out = stack[3].toTensor();
    out.copy_(at::mm(stack[0].toTensor().to(at::kFloat), stack[1].toTensor().to(at::kFloat)));
    stack.assign({out});
  } else {
    TORCH_CHECK(name == "aten::addmm", "fake CUDA: there is no ", op.operator_name());
    // self, mat1, mat2, out_dtype, beta, alpha, out
    const at::Tensor out = stack[6].toTensor();
    const at::Tensor product = at::mm(stack[1].toTensor().to(at::kFloat), stack[2].toTensor().to(at::kFloat));
    out.copy_(stack[0].toTensor().mul(stack[4].toScalar()).add_(product.mul_(stack[5].toScalar())));
    stack.assign({out});
  }
}

at::Tensor view_of(const at::Tensor& given, const at::Tensor& result) {
  at::Tensor view = at::detail::make_tensor<c10::TensorImpl>(c10::Storage(given.storage()), given.key_set(), result.dtype());
  view.unsafeGetTensorImpl()->set_sizes_and_strides(result.sizes(), result.strides(), result.storage_offset());
  return view;
}

void run_on_host(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  const size_t count = schema.arguments().size();
  const std::vector<c10::IValue> given(stack->end() - static_cast<int64_t>(count), stack->end());
  torch::jit::drop(*stack, count);
  torch::jit::Stack host;
  bool writing = false;
  for (size_t i = 0; i < count; ++i) {
    writing = writing || writes(schema.arguments()[i]);
    if (on_device(given[i])) {
      host.emplace_back(on_host(given[i].toTensor()));
    } else if (given[i].isTensorList()) {
      std::vector<at::Tensor> list;
      for (const at::Tensor& tensor : given[i].toTensorVector()) list.push_back(tensor.is_cuda() ? on_host(tensor) : tensor);
      host.emplace_back(list);
    } else if (given[i].isDevice()) {
      host.emplace_back(at::Device(at::kCPU));
    } else {
      host.push_back(given[i]);
    }
  }
  Device& device = Device::instance();
  if (writing) {
    device.launch(current_stream(), {{}, [op, host] {
                                       torch::jit::Stack arguments = host;
                                       run_host_operator(op, arguments);
                                     }});
    for (const c10::Argument& result : schema.returns()) {
      for (size_t i = 0; i < count; ++i) {
        if (writes(schema.arguments()[i]) && writes(result) &&
            schema.arguments()[i].alias_info()->beforeSets() == result.alias_info()->beforeSets()) {
          stack->push_back(given[i]);
          break;
        }
      }
    }
    return;
  }
  // For its values now, or for the sizes of a result that each replay computes.
  torch::jit::Stack results = host;
  run_host_operator(op, results);
  for (const c10::IValue& result : results) {
    if (!result.isTensor()) {
      // A value on the host: the engine waits for the device.
      const cudaError_t waited = cudaStreamSynchronize(handle_of(current_stream()));
      TORCH_CHECK(waited == cudaSuccess, cudaGetErrorString(waited));
      stack->push_back(result);
      continue;
    }
    const at::Tensor& made = result.toTensor();
    bool view = false;
    for (size_t i = 0; i < count && !view; ++i) {
      if (!on_device(given[i]) || !host[i].toTensor().is_alias_of(made)) continue;
      stack->push_back(view_of(given[i].toTensor(), made));
      view = true;
    }
    if (view) continue;
    TORCH_CHECK(results.size() == 1, "fake CUDA: there is no ", op.operator_name());
    const at::Tensor out = empty_like(made);
    const at::Tensor out_on_host = on_host(out);
    out_on_host.copy_(made);
    if (device.capturing(current_stream())) {
      device.launch(current_stream(), {{}, [op, host, out_on_host] {
                                         torch::jit::Stack arguments = host;
                                         run_host_operator(op, arguments);
                                         out_on_host.copy_(arguments.front().toTensor());
                                       }});
    }
    stack->push_back(out);
  }
}

at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                 std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::Tensor(
      at::detail::empty_generic(size, c10::GetAllocator(at::kCUDA), kKeys, dtype.value_or(at::kFloat), format));
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, std::optional<at::ScalarType> dtype,
                         std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::Tensor(at::detail::empty_strided_generic(size, stride, c10::GetAllocator(at::kCUDA), kKeys,
                                                      dtype.value_or(at::kFloat)));
}

// Copies between host and device wait unless told otherwise, and from or to memory that is not pinned a graph has none.
at::Tensor& copy(at::Tensor& self, const at::Tensor& source, bool non_blocking) {
  if (self.numel() == 0) return self;
  Device& device = Device::instance();
  const int stream = current_stream();
  const at::Tensor to = self.is_cuda() ? on_host(self) : self;
  const at::Tensor from = source.is_cuda() ? on_host(source) : source;
  if (self.is_cuda() && source.is_cuda()) {
    device.launch(stream, {{}, [to, from] { to.copy_(from); }});
    return self;
  }
  const bool pinned = is_pinned(self.is_cuda() ? source.data_ptr() : self.data_ptr());
  const bool waits = !non_blocking || !pinned;
  if (waits && device.capturing_here()) {
    device.break_capture();
    TORCH_CHECK(false, "fake CUDA: a copy ", self.is_cuda() ? "from" : "to",
                " the host waits while a stream is captured");
  }
  if (self.is_cuda() || waits || device.capturing(stream)) {
    device.launch(stream, {{}, [to, from] { to.copy_(from); }});
  } else {
    // The host does not see it before it has waited.
    const at::Tensor values = from.clone();
    device.on_synchronize(stream, [to, values] { to.copy_(values); });
  }
  if (waits) {
    const cudaError_t waited = cudaStreamSynchronize(handle_of(stream));
    TORCH_CHECK(waited == cudaSuccess, cudaGetErrorString(waited));
  }
  return self;
}

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericWrapper, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&track>());
}

TORCH_LIBRARY_IMPL(_, CUDA, library) { library.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_host>()); }

TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("copy_", &copy);
}

}  // namespace

}  // namespace zero_rl::fake
