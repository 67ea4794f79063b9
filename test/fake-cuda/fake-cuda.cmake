# libzero_rl_fake_cuda.so: the sources of libzero_rl_cuda.so, compiled for the host, with a device that is none under them. For
# tests (npm run build:fake-cuda); needs neither nvcc nor anything of CUDA, and is no part of the package.
set(FAKE_CUDA test/fake-cuda)
file(GLOB FAKE_CUDA_KERNELS CONFIGURE_DEPENDS native/kernels/*_cuda.cu)
file(GLOB FAKE_CUDA_SOURCES CONFIGURE_DEPENDS native/device/*_cuda.cc ${FAKE_CUDA}/*.cc)
set_source_files_properties(${FAKE_CUDA_KERNELS} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-xc++")
set_source_files_properties(native/device/runtime_cuda.cc PROPERTIES
  COMPILE_DEFINITIONS "ZERO_RL_CUDA_ARCHITECTURES=\"90\"")
add_library(zero_rl_fake_cuda SHARED EXCLUDE_FROM_ALL ${FAKE_CUDA_KERNELS} ${FAKE_CUDA_SOURCES}
  native/device/operator_checks.cc native/runtime/old_symbols.cc)
set_target_properties(zero_rl_fake_cuda PROPERTIES
  CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
  CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "")
# Its own headers come first: they stand for CUDA's, and for kernels/cuda_kernels.cuh.
target_include_directories(zero_rl_fake_cuda PRIVATE ${FAKE_CUDA}/include ${FAKE_CUDA} native)
target_include_directories(zero_rl_fake_cuda SYSTEM PRIVATE
  ${TORCH_DIR}/include ${TORCH_DIR}/include/torch/csrc/api/include)
target_compile_definitions(zero_rl_fake_cuda PRIVATE ZERO_RL_VERSION="${PACKAGE_VERSION}")
# As the addon, whose bodies of the same kernels give the same bits.
target_compile_options(zero_rl_fake_cuda PRIVATE ${COMPILE_OPTIONS_ALL} ${BASELINE})
target_link_libraries(zero_rl_fake_cuda PRIVATE torch::torch_cpu torch::c10)
# Its runtime is its own, whatever of CUDA is mapped already.
target_link_options(zero_rl_fake_cuda PRIVATE -Wl,-z,nodelete -Wl,-z,defs -Wl,-Bsymbolic)
