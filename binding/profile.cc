#include "profile.h"

#include <memory>
#include <vector>

#include "job.h"
#include "kernels/recorded_set.h"
#include "runtime/profiler.h"
#include "runtime/thread_pool.h"

namespace zero_rl::binding {

namespace {

// Numbers of an event: kind, id, bfloat16, start and duration in ns, bytes, FLOPs.
constexpr size_t kEventWidth = 7;

Napi::Value start(const Napi::CallbackInfo& info) {
  profiler::start(info[0].As<Napi::Number>().Int64Value());
  return info.Env().Undefined();
}

Napi::Value stop(const Napi::CallbackInfo& info) {
  profiler::stop();
  return info.Env().Undefined();
}

Napi::Float64Array to_array(Napi::Env env, const std::vector<profiler::Event>& events) {
  Napi::Float64Array array = Napi::Float64Array::New(env, events.size() * kEventWidth);
  double* next = array.Data();
  for (const profiler::Event& event : events) {
    for (const double value : {static_cast<double>(event.kind), static_cast<double>(event.id),
                               static_cast<double>(event.bfloat16), static_cast<double>(event.start),
                               static_cast<double>(event.duration), event.bytes, event.flops}) {
      *next++ = value;
    }
  }
  return array;
}

Napi::Value drain(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::vector<profiler::ThreadRecord> records = profiler::drain();
  Napi::Array threads = Napi::Array::New(env, records.size());
  for (uint32_t i = 0; i < records.size(); ++i) {
    Napi::Object thread = Napi::Object::New(env);
    thread.Set("id", static_cast<double>(records[i].id));
    thread.Set("name", records[i].name);
    thread.Set("dropped", static_cast<double>(records[i].dropped));
    thread.Set("events", to_array(env, records[i].events));
    threads.Set(i, thread);
  }
  return threads;
}

Napi::Object to_object(Napi::Env env, const profiler::KernelTotal& found) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("section", profiler::section_name(found.section));
  object.Set("kernel", kernels::kernel_name(found.kernel));
  object.Set("dtype", found.bfloat16 ? "bfloat16" : "float32");
  object.Set("shared", found.shared);
  object.Set("calls", static_cast<double>(found.total.calls));
  object.Set("seconds", static_cast<double>(found.total.nanoseconds) * 1e-9);
  object.Set("bytes", found.total.bytes);
  object.Set("flops", found.total.flops);
  return object;
}

// A job, since the engine's thread alone may look at its team.
Napi::Value totals(const Napi::CallbackInfo& info) {
  return Job::start(info.Env(), std::make_shared<AbortFlag>(), [](Job&) -> Finish {
    return [all = profiler::kernel_totals(), threads = ThreadPool::instance().threads()](Napi::Env env) -> Napi::Value {
      Napi::Array kernels = Napi::Array::New(env, all.size());
      for (uint32_t i = 0; i < all.size(); ++i) kernels.Set(i, to_object(env, all[i]));
      Napi::Object object = Napi::Object::New(env);
      object.Set("threads", threads);
      object.Set("kernels", kernels);
      return object;
    };
  });
}

template <class Name>
Napi::Array names(Napi::Env env, uint32_t count, const Name& name) {
  Napi::Array array = Napi::Array::New(env, count);
  for (uint32_t i = 0; i < count; ++i) array.Set(i, Napi::String::New(env, name(static_cast<uint8_t>(i))));
  return array;
}

}  // namespace

void registerProfile(Napi::Env env, Napi::Object exports) {
  Napi::Object profile = Napi::Object::New(env);
  profile.Set("start", Napi::Function::New(env, start, "start"));
  profile.Set("stop", Napi::Function::New(env, stop, "stop"));
  profile.Set("drain", Napi::Function::New(env, drain, "drain"));
  profile.Set("totals", Napi::Function::New(env, totals, "totals"));
  profile.Set("sections", names(env, static_cast<uint32_t>(profiler::Section::kCount), [](uint8_t id) {
                return profiler::section_name(static_cast<profiler::Section>(id));
              }));
  profile.Set("kernels", names(env, kernels::kernel_count(), kernels::kernel_name));
  exports.Set("profile", profile);
}

}  // namespace zero_rl::binding
