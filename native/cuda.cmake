# libzero_rl_cuda.so: the device engine's operators for CUDA tensors. It needs libc10, libtorch_cpu and libcudart by their
# names and nothing else of CUDA, and has no RPATH: binding/index.js maps all of them before it.
set(CMAKE_CUDA_ARCHITECTURES "${ZERO_RL_CUDA_ARCHITECTURES}")
enable_language(CUDA)
if(CCACHE AND NOT DEFINED CMAKE_CUDA_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER "${CCACHE}")
endif()

# nvcc's own, or that of a CUDA toolkit.
get_filename_component(CUDA_ROOT "${CMAKE_CUDA_COMPILER}" REALPATH)
get_filename_component(CUDA_ROOT "${CUDA_ROOT}/../.." ABSOLUTE)
find_library(CUDART NAMES libcudart.so.13 HINTS "${CUDA_ROOT}" PATH_SUFFIXES lib lib64 NO_CACHE REQUIRED)

file(GLOB CUDA_SOURCES CONFIGURE_DEPENDS native/kernels/*_cuda.cu native/device/*_cuda.cc
  native/runtime/old_symbols.cc)
add_library(zero_rl_cuda SHARED ${CUDA_SOURCES} native/device/operator_checks.cc)
set_target_properties(zero_rl_cuda PROPERTIES
  CUDA_RUNTIME_LIBRARY None
  POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
  BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "")
target_include_directories(zero_rl_cuda PRIVATE native)
string(REPLACE ";" "," ARCHITECTURES_TEXT "${ZERO_RL_CUDA_ARCHITECTURES}")
target_compile_definitions(zero_rl_cuda PRIVATE ZERO_RL_VERSION="${PACKAGE_VERSION}"
  ZERO_RL_CUDA_ARCHITECTURES="${ARCHITECTURES_TEXT}")
target_include_directories(zero_rl_cuda SYSTEM PRIVATE
  ${TORCH_DIR}/include ${TORCH_DIR}/include/torch/csrc/api/include ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
# CMake below 3.26 does not know that this nvcc takes C++20, and what a target asks of C++ it asks of CUDA too.
target_compile_options(zero_rl_cuda PRIVATE -std=c++20
  "$<$<COMPILE_LANGUAGE:CXX>:${COMPILE_OPTIONS_ALL}>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-O3;--expt-relaxed-constexpr>")
target_link_libraries(zero_rl_cuda PRIVATE torch::torch_cpu torch::c10 "${CUDART}")
# nodelete: as the addon. Registration has no symbol that anyone refers to, and hidden ones must all be found here.
target_link_options(zero_rl_cuda PRIVATE -Wl,-z,nodelete -Wl,-z,defs)
