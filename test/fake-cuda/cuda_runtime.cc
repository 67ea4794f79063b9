// The functions of CUDA's runtime over the fake device.
#include <c10/util/Exception.h>

#include <cuda_runtime_api.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fake_device.h"

using zero_rl::fake::Device;
using zero_rl::fake::stream_id;

struct CUgraph_st {
  std::vector<zero_rl::fake::Work> work;
  c10::MempoolId_t pool;
};
struct CUgraphExec_st {
  std::vector<zero_rl::fake::Work> work;
  c10::MempoolId_t pool;
};

namespace {

thread_local cudaError_t last_error = cudaSuccess;
thread_local std::string last_reason;

std::map<const void*, size_t>& dynamic_limits() {
  static auto* const all = new std::map<const void*, size_t>();
  return *all;
}

cudaError_t failed(cudaError_t error, const std::string& why) {
  last_error = error;
  last_reason = "fake CUDA: " + why;
  return error;
}

// What may not be called on a thread that captures a stream.
cudaError_t refuse_in_capture(const char* what) {
  if (!Device::instance().capturing_here()) return cudaSuccess;
  Device::instance().break_capture();
  return failed(cudaErrorStreamCaptureUnsupported, std::string(what) + " is called while a stream is captured");
}

}  // namespace

extern "C" {

// The last one's, whatever it was: who asks has just failed.
const char* cudaGetErrorString(cudaError_t error) { return error == cudaSuccess ? "no error" : last_reason.c_str(); }

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attribute == cudaDevAttrComputeCapabilityMajor ? 9 : 0;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  if (const cudaError_t error = refuse_in_capture("cudaMemGetInfo")) return error;
  *total = zero_rl::fake::kMemory;
  *free = zero_rl::fake::kMemory - Device::instance().allocated();
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (Device::instance().shut_down()) {
    return failed(cudaErrorCudartUnloading, "a stream is waited for after the driver has gone");
  }
  if (const cudaError_t error = refuse_in_capture("cudaStreamSynchronize")) return error;
  Device::instance().synchronize(stream_id(stream));
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status =
      Device::instance().capturing(stream_id(stream)) ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream_id(stream) == 0) return failed(cudaErrorStreamCaptureUnsupported, "the default stream is captured");
  if (const cudaError_t error = refuse_in_capture("cudaStreamBeginCapture")) return error;
  Device::instance().begin_capture(stream_id(stream));
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (!Device::instance().capturing(stream_id(stream))) {
    return failed(cudaErrorInvalidValue, "a capture is ended that was not begun");
  }
  std::vector<zero_rl::fake::Work> work;
  const c10::MempoolId_t pool = Device::instance().pool_of_capture();
  if (!Device::instance().end_capture(stream_id(stream), work)) {
    return failed(cudaErrorStreamCaptureInvalidated, "the capture was broken: " + last_reason);
  }
  *graph = new CUgraph_st{std::move(work), pool};
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new CUgraphExec_st{graph->work, graph->pool};
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  if (Device::instance().shut_down()) {
    return failed(cudaErrorCudartUnloading, "a graph is destroyed after the driver has gone");
  }
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  Device::instance().spoil(executable->pool);
  for (const zero_rl::fake::Work& work : executable->work) Device::instance().launch(stream_id(stream), work);
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  const zero_rl::fake::Kernel* kernel = zero_rl::fake::find_kernel(function);
  if (kernel == nullptr) return failed(cudaErrorInvalidDeviceFunction, "what is no kernel is asked for its attributes");
  attributes->sharedSizeBytes = kernel->static_bytes;
  attributes->maxThreadsPerBlock = kernel->max_threads;
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  const zero_rl::fake::Kernel* kernel = zero_rl::fake::find_kernel(function);
  if (kernel == nullptr || attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) {
    return failed(cudaErrorInvalidDeviceFunction, "an attribute is set of what is no kernel");
  }
  if (value + kernel->static_bytes > zero_rl::fake::kMostSharedBytes) {
    return failed(cudaErrorInvalidValue, std::string(kernel->name) + " asks for " + std::to_string(value) +
                                             " bytes of shared memory beside " + std::to_string(kernel->static_bytes) +
                                             ", of " + std::to_string(zero_rl::fake::kMostSharedBytes));
  }
  dynamic_limits()[function] = static_cast<size_t>(value);
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 threads, void** arguments, size_t shared_bytes,
                             cudaStream_t stream) {
  const zero_rl::fake::Kernel* kernel = zero_rl::fake::find_kernel(function);
  if (kernel == nullptr) return failed(cudaErrorInvalidDeviceFunction, "what is launched is no kernel");
  const auto limit = dynamic_limits().find(function);
  const size_t dynamic =
      limit != dynamic_limits().end() ? limit->second : zero_rl::fake::kSharedBytes - kernel->static_bytes;
  const std::string shape = std::string(kernel->name) + " is launched with " + std::to_string(grid.x) + " blocks of " +
                            std::to_string(threads.x) + " threads and " + std::to_string(shared_bytes) +
                            " bytes of shared memory";
  if (grid.x < 1 || grid.x > 0x7FFFFFFF || grid.y != 1 || grid.z != 1 || threads.x < 1 ||
      threads.x > static_cast<unsigned>(kernel->max_threads) || threads.x > 1024 || threads.y != 1 || threads.z != 1) {
    return failed(cudaErrorInvalidConfiguration,
                  shape + ", and has at most " + std::to_string(kernel->max_threads) + " threads");
  }
  if (shared_bytes > dynamic) {
    return failed(cudaErrorInvalidValue, shape + ", and may take " + std::to_string(dynamic) + " beside its own " +
                                             std::to_string(kernel->static_bytes));
  }
  Device::instance().launch(stream_id(stream), {{}, kernel->bind(arguments, grid.x, threads.x, shared_bytes)});
  return cudaSuccess;
}

}  // extern "C"
