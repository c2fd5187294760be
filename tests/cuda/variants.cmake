# The tests of the CUDA backend once more, each time as one program that proof.sh builds and runs:
#   test_cuda_asan  under the address and undefined-behaviour sanitizers: accesses of kernels and of our host code
#   test_cuda_tsan  under the thread sanitizer: races between the threads of a block and between blocks
#   test_cuda_nvcc  with the objects that nvcc made for the plug-in: how they launch kernels and hand over arguments
# Core, the emulator and the doubles are those of the other tests, without a sanitizer.
if(BASIN_SANITIZE)
  return()
endif()

# Without those of cuDNN's graphs, for NVIDIA's code has no sanitizer, and those of whole networks, which take minutes
# under one and ask the kernels for nothing new.
set(asan_tests ${test_sources})
list(FILTER asan_tests EXCLUDE REGEX "/(graphs/[a-z_]*|double_graphs|test_models|test_ops)\\.cpp$")
# TSan makes a thread of each CUDA thread: those with shared memory, with sums over blocks, and with small grids.
set(tsan_tests ${test_sources})
list(FILTER tsan_tests INCLUDE REGEX
     "/(device|double_convolution|test_(image_batch|norm|pooling|reduce|shape|softmax))\\.cpp$")

function(sanitized_cuda_tests suffix sanitizers)
  add_library(basin_cuda_double_${suffix} STATIC EXCLUDE_FROM_ALL ${cuda_sources} ${cuda_kernels})
  target_include_directories(basin_cuda_double_${suffix} ${toolkit_headers})
  target_link_libraries(basin_cuda_double_${suffix} PUBLIC basin_cuda_libraries)
  add_executable(test_cuda_${suffix} EXCLUDE_FROM_ALL ${${suffix}_tests})
  target_include_directories(test_cuda_${suffix} SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
  target_link_libraries(test_cuda_${suffix} PRIVATE basin_test_main basin_cuda_double_${suffix} basin_nn basin_optim
                                                    basin_data)
  foreach(target basin_cuda_double_${suffix} test_cuda_${suffix})
    # gcc's warnings are not reliable under sanitizers.
    target_compile_options(${target} PRIVATE -w -O1 -g1 -ffp-contract=off -fno-omit-frame-pointer -fsanitize=${sanitizers}
                                             -fno-sanitize-recover=all)
  endforeach()
  target_link_options(test_cuda_${suffix} PRIVATE -fsanitize=${sanitizers})
endfunction()
sanitized_cuda_tests(asan address,undefined)
sanitized_cuda_tests(tsan thread)

set(nvcc_objects "$<FILTER:$<TARGET_OBJECTS:basin_cuda_objects>,INCLUDE,\\.cu\\.o$>")
set(emulated_objects "$<FILTER:$<TARGET_OBJECTS:basin_cuda_double>,INCLUDE,\\.cu\\.o$>")
set(twins ${CMAKE_CURRENT_BINARY_DIR}/twins)
add_custom_command(OUTPUT ${twins}/twins.cpp ${twins}/twins.o
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/nvcc/twins.sh ${twins} ${PROJECT_SOURCE_DIR}/cuda/kernels
          ${nvcc_objects} -- ${emulated_objects}
  DEPENDS nvcc/twins.sh basin_cuda_double basin_cuda_objects ${nvcc_objects} ${emulated_objects}
  COMMAND_EXPAND_LISTS VERBATIM)
set_source_files_properties(${twins}/twins.cpp PROPERTIES COMPILE_OPTIONS "-O0;-w")  # a long table
set_source_files_properties(${twins}/twins.o PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
add_executable(test_cuda_nvcc EXCLUDE_FROM_ALL ${gpu_tests} nvcc/registered.cpp ${twins}/twins.cpp ${nvcc_objects}
                                               ${twins}/twins.o)
target_include_directories(test_cuda_nvcc SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(test_cuda_nvcc PRIVATE basin_test_main basin_cuda_double basin_nn basin_optim basin_data)
