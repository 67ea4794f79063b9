// The classes NativeModel and AbortFlag of native.d.ts.
#pragma once

#include <napi.h>

namespace zero_rl::binding {

void registerModel(Napi::Env env, Napi::Object exports);

}  // namespace zero_rl::binding
