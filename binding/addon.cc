// The entry point of the addon. Another minor version of libtorch loads without a linker error and then calls the wrong
// virtual functions, so nothing of libtorch is touched before its version has been compared with that of the headers.

#include <napi.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/headeronly/version.h>

#include <cstdint>
#include <string>

#include "bench.h"
#include "device/runtime.h"
#include "kernels/kernels.h"
#include "model.h"
#include "profile.h"
#include "runtime.h"

namespace {

// "2.11" of the packed form: one byte each for major, minor, patch.
std::string minorVersion(std::uint64_t abiVersion) {
  return std::to_string(abiVersion >> 56) + "." + std::to_string((abiVersion >> 48) & 0xff);
}

Napi::Value cudaDevices(const Napi::CallbackInfo& info) {
  const zero_rl::RuntimeMaker& runtimes = zero_rl::cuda_runtimes();
  Napi::Object devices = Napi::Object::New(info.Env());
  devices.Set("architectures", Napi::String::New(info.Env(), runtimes.architectures()));
  Napi::Array capabilities = Napi::Array::New(info.Env());
  for (int i = 0; i < runtimes.device_count(); ++i) {
    capabilities.Set(static_cast<uint32_t>(i), Napi::Number::New(info.Env(), runtimes.compute_capability(i)));
  }
  devices.Set("capabilities", capabilities);
  return devices;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  const std::string built = minorVersion(TORCH_ABI_VERSION);
  const std::string loaded = minorVersion(aoti_torch_abi_version());
  if (loaded != built) {
    Napi::Error error = Napi::Error::New(
        env, "This addon was built for libtorch " + built + " but libtorch " + loaded +
                 " is loaded; run `npx zero-rl libtorch install` and unset ZERO_RL_LIBTORCH.");
    error.Set("code", Napi::String::New(env, "ERR_ZERO_RL_LIBTORCH_VERSION"));
    throw error;
  }
  exports.Set("torchVersion", Napi::String::New(env, loaded));
  exports.Set("instructionSet", Napi::String::New(env, zero_rl::kernels::instruction_set().name));
  exports.Set("addonVersion", Napi::String::New(env, ZERO_RL_VERSION));
  exports.Set("cudaDevices", Napi::Function::New(env, cudaDevices, "cudaDevices"));
  zero_rl::binding::registerModel(env, exports);
  zero_rl::binding::registerBench(env, exports);
  zero_rl::binding::registerProfile(env, exports);
  zero_rl::binding::registerRuntime(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(zero_rl, init)
