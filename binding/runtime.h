// The functions machineMemory, poolFailure, workspaceHistory and reportExit of native.d.ts.
#pragma once

#include <napi.h>

namespace zero_rl::binding {

void registerRuntime(Napi::Env env, Napi::Object exports);

}  // namespace zero_rl::binding
