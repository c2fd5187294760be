# The plug-in on the doubles: with BASIN_CUDA_PLUGIN naming it, `basin --device cuda` runs without a card. What it needs
# of core is the program's, as for the real one.
add_library(basin_cuda_double_plugin MODULE $<TARGET_OBJECTS:basin_cuda_double> $<TARGET_OBJECTS:basin_cuda_libraries>)
target_link_libraries(basin_cuda_double_plugin PRIVATE basin_cuda_emulator CUDNN::cudnn ${CMAKE_DL_LIBS} basin_own)
set_target_properties(basin_cuda_double_plugin PROPERTIES OUTPUT_NAME basin_cuda_double LINKER_LANGUAGE CXX)
add_dependencies(basin_cuda_double_plugin basin_nodriver)

add_test(NAME "cuda/basin trains on a card from end to end"
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/train_on_double.sh $<TARGET_FILE:basin>
                 $<TARGET_FILE:basin_cuda_double_plugin>)
add_test(NAME "cuda/the laboratory's answers on a card are the CPU's"
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lab_on_double.sh $<TARGET_FILE:basin>
                 $<TARGET_FILE:basin_cuda_double_plugin>)
set_tests_properties("cuda/basin trains on a card from end to end" "cuda/the laboratory's answers on a card are the CPU's"
                     PROPERTIES LABELS cuda)
