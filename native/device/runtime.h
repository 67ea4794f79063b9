// What the engine needs of a device besides ATen: its memory, pinned host memory and graphs. The addon links nothing of
// CUDA: libzero_rl_cuda.so, mapped before a device is used, registers the operator `zero_rl_cuda::runtimes` with the
// dispatcher, which both share, and that operator returns the address of its RuntimeMaker.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "operators/operators.h"

namespace zero_rl {

class Runtime {
 public:
  virtual ~Runtime() = default;

  // While it lives the device and the engine's stream are current on the thread that made it.
  class Scope {
   public:
    virtual ~Scope() = default;
  };
  virtual std::unique_ptr<Scope> enter() = 0;
  virtual at::Device device() const = 0;
  // Bytes that can still be allocated, those that the allocator holds unused included.
  virtual int64_t available_bytes() = 0;
  // Gives unused memory of the allocator back to the device.
  virtual void release_unused() = 0;
  // Uninitialised memory of the host from which copies are fast.
  virtual at::Tensor host_buffer(at::IntArrayRef sizes, at::ScalarType dtype) = 0;
  // Records what `step` launches without running it. Its tensors must outlive the graph. Null where there are no graphs.
  virtual std::unique_ptr<Graph> capture(const std::function<void()>& step) = 0;
  // Most sequences that are decoded together unless told otherwise.
  virtual int64_t default_batch() const = 0;
  // Most tokens of a micro-batch.
  virtual int64_t most_pass_tokens() const = 0;
};

class RuntimeMaker {
 public:
  // Of the package that the library was built from.
  virtual const char* version() const = 0;
  virtual int device_count() const = 0;
  // Of a device, 10 · major + minor.
  virtual int compute_capability(int index) const = 0;
  // What the kernels were compiled for, as CMake has it but for commas: "80-real,90".
  virtual const char* architectures() const = 0;
  virtual std::unique_ptr<Runtime> make(int index) const = 0;

 protected:
  ~RuntimeMaker() = default;
};

// The maker of CUDA's runtimes. Throws ERR_ZERO_RL_CUDA_UNAVAILABLE where no library of this version has been mapped.
const RuntimeMaker& cuda_runtimes();

// For `cpu`, which tests of the engine use, or `cuda:N`.
std::unique_ptr<Runtime> make_runtime(const std::string& device);

}  // namespace zero_rl
