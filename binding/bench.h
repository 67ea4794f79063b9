// The functions measureMachine and runKernel of native.d.ts.
#pragma once

#include <napi.h>

namespace zero_rl::binding {

void registerBench(Napi::Env env, Napi::Object exports);

}  // namespace zero_rl::binding
