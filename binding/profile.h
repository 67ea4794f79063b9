// What the profiler recorded, as the event loop sees it.
#pragma once

#include <napi.h>

namespace zero_rl::binding {

void registerProfile(Napi::Env env, Napi::Object exports);

}  // namespace zero_rl::binding
