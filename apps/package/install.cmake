# What `cmake --install` puts where, and the packages that cpack makes of it: the program with its manual page and
# completions (component program), the libraries with their headers for find_package(Basin) and pkg-config (component
# development), and the plug-in for NVIDIA's cards (component cuda), whose libraries Debian 12 does not have.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# ---- The libraries ----
set(libraries basin_core basin_autograd basin_nn basin_optim)
set(folders core autograd nn optim)
if(BASIN_DATA)
  list(APPEND libraries basin_data)
  list(APPEND folders data)
endif()
foreach(library ${libraries} basin_options)
  string(REPLACE "basin_" "" name ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${name})
endforeach()
if(BASIN_SHARED)  # they find each other wherever the prefix is
  set_target_properties(${libraries} PROPERTIES INSTALL_RPATH "$ORIGIN")
endif()
install(TARGETS basin_options ${libraries} EXPORT BasinTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT program NAMELINK_COMPONENT development)
# In a folder of their own, which is on the include path: #include "optim/gradient/sam.h", as within the project.
foreach(folder ${folders})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/basin
          COMPONENT development FILES_MATCHING PATTERN "*.h")
endforeach()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Basin)
install(EXPORT BasinTargets NAMESPACE basin:: DESTINATION ${package_folder} COMPONENT development)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/BasinConfig.cmake.in ${PROJECT_BINARY_DIR}/BasinConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
# Until 1.0 a program is built with the minor version that it names.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/BasinConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/BasinConfig.cmake ${PROJECT_BINARY_DIR}/BasinConfigVersion.cmake
        DESTINATION ${package_folder} COMPONENT development)

# pkg-config's file, whose libraries stand before those that they need.
set(linked "")
foreach(library ${libraries})
  set(linked "-l${library} ${linked}")
endforeach()
set(needed "zlib")
if(BASIN_DATA)
  set(needed "zlib libjpeg libpng")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/basin.pc.in ${PROJECT_BINARY_DIR}/basin.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/basin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# ---- The program ----
if(BASIN_APPS)
  if(BASIN_SHARED)
    set_target_properties(basin PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  endif()
  install(TARGETS basin RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  # What the program says of itself, asked when it is installed.
  set(said ${PROJECT_BINARY_DIR}/said)
  file(MAKE_DIRECTORY ${said})
  foreach(page "--help-man;basin.1" "completion bash;basin" "completion zsh;_basin" "completion fish;basin.fish")
    list(GET page 0 words)
    list(GET page 1 file)
    install(CODE "execute_process(COMMAND \"$<TARGET_FILE:basin>\" ${words} OUTPUT_FILE \"${said}/${file}\"
                                  COMMAND_ERROR_IS_FATAL ANY)" COMPONENT program)
  endforeach()
  install(FILES ${said}/basin.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
  install(FILES ${said}/basin DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
  install(FILES ${said}/_basin DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT program)
  install(FILES ${said}/basin.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright COMPONENT program)
  install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT program)
endif()
if(BASIN_HAS_CUDA)
  set_target_properties(basin_cuda PROPERTIES INSTALL_RPATH "${CUDAToolkit_LIBRARY_DIR}")
  install(TARGETS basin_cuda LIBRARY DESTINATION lib COMPONENT cuda)  # where the program looks: ../lib
endif()

# ---- Packages: cpack -G DEB, in the folder of the build ----
set(CPACK_PACKAGE_NAME basin)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Basin's authors <basin@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME basin)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS dataset-fashion-mnist)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "training of neural networks towards flat minima
Trains convolutional networks and vision transformers by SAM, GAM, SWA and their family,
and measures how flat the minima are that they end in.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libbasin-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "zlib1g-dev, libjpeg-dev, libpng-dev")
if(BASIN_SHARED)
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", basin (= ${PROJECT_VERSION})")
endif()
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "training of neural networks towards flat minima: headers and libraries
Tensors, derivatives of any order, layers, models, optimizers and data sets, for find_package(Basin)
and pkg-config.")
include(CPack)
