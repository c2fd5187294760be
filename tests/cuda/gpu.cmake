# The tests of the CUDA backend on a real card: the same test files, the plug-in's own objects, NVIDIA's libraries.
# Without a card each of them is skipped (exit code 77), none passes. Label gpu; on_gpu.sh runs this program.
set(gpu_tests ${test_sources})
list(FILTER gpu_tests EXCLUDE REGEX "/(double_[a-z_]*|graphs/[a-z_]*)\\.cpp$")  # of the doubles and of schedules
add_executable(test_cuda_gpu ${gpu_tests} ${CMAKE_CURRENT_SOURCE_DIR}/gpu/main.cpp)
target_compile_definitions(test_cuda_gpu PRIVATE BASIN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(test_cuda_gpu PRIVATE basin_own doctest::doctest basin_cuda_objects basin_nn basin_optim basin_data)
set_target_properties(test_cuda_gpu PROPERTIES LINKER_LANGUAGE CXX BUILD_RPATH "${CUDAToolkit_LIBRARY_DIR}")
doctest_discover_tests(test_cuda_gpu TEST_PREFIX "gpu/" PROPERTIES LABELS gpu SKIP_RETURN_CODE 77)
