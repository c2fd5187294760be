# Installs the build, makes the second project of docs/own-project.md outside the tree, which finds Basin there, and the
# third one by pkg-config where that is; then the Debian packages, where dpkg is: what they hold, and the program in
# them. cmake -DPAGE= -DBUILD= -DWORK= -DGENERATOR= -DCOMPILER= -DVERSION= -DLINK_FLAGS= -DCMAKE_CPACK_COMMAND= -P installed.cmake
include(${CMAKE_CURRENT_LIST_DIR}/page.cmake)

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/project)
set(prefix ${WORK}/prefix)
foreach(component program development)
  run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component ${component})
endforeach()
page_block(cmake 2 project)
page_block(cpp 1 source)
page_block(text 1 expected)
file(WRITE ${WORK}/project/CMakeLists.txt "${project}")
file(WRITE ${WORK}/project/main.cpp "${source}")

function(check_program program)
  run(${program})
  if(NOT said STREQUAL expected)
    message(FATAL_ERROR "${program} said\n${said}and the page promises\n${expected}")
  endif()
endfunction()

run(${CMAKE_COMMAND} -S ${WORK}/project -B ${WORK}/build -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER}
    -DCMAKE_PREFIX_PATH=${prefix})
run(${CMAKE_COMMAND} --build ${WORK}/build)
check_program(${WORK}/build/flat)

# Another minor version is another interface.
file(WRITE ${WORK}/other/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)\nproject(other LANGUAGES CXX)\n"
                                        "find_package(Basin 0.99)\nif(Basin_FOUND)\n  message(FATAL_ERROR found)\nendif()\n")
run(${CMAKE_COMMAND} -S ${WORK}/other -B ${WORK}/other/build -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER}
    -DCMAKE_PREFIX_PATH=${prefix})

set(checked "find_package")
find_program(pkg_config pkg-config)
if(pkg_config)
  set(ENV{PKG_CONFIG_PATH} ${prefix}/lib/pkgconfig)
  run(${pkg_config} --define-variable=prefix=${prefix} --cflags --libs basin)
  separate_arguments(flags UNIX_COMMAND "${said}")
  run(${COMPILER} ${LINK_FLAGS} ${WORK}/build/CMakeFiles/flat.dir/main.cpp.o ${flags} -o ${WORK}/flat)
  check_program(${WORK}/flat)
  string(APPEND checked ", pkg-config")
endif()

run(${prefix}/bin/basin --version)
if(NOT said MATCHES "^basin ${VERSION} ")
  message(FATAL_ERROR "the installed program says: ${said}")
endif()

find_program(dpkg_deb dpkg-deb)
find_program(shlibdeps dpkg-shlibdeps)
if(dpkg_deb AND shlibdeps)
  run(${CMAKE_CPACK_COMMAND} -G DEB --config ${BUILD}/CPackConfig.cmake -B ${WORK}/packages)
  file(GLOB program ${WORK}/packages/basin_${VERSION}_*.deb)
  file(GLOB development ${WORK}/packages/libbasin-dev_${VERSION}_*.deb)
  run(${dpkg_deb} -f ${program} Depends)
  if(NOT said MATCHES "libc6 .*libjpeg62-turbo.*libpng16-16.*libstdc")
    message(FATAL_ERROR "the package depends on: ${said}")
  endif()
  run(${dpkg_deb} -x ${program} ${WORK}/unpacked)
  run(${WORK}/unpacked/usr/bin/basin train --data synthetic --limit 64 --model mlp --epochs 1 --quiet
      --run ${WORK}/run)
  foreach(file share/man/man1/basin.1 share/bash-completion/completions/basin share/doc/basin/copyright)
    if(NOT EXISTS ${WORK}/unpacked/usr/${file})
      message(FATAL_ERROR "the package has no ${file}")
    endif()
  endforeach()
  run(${dpkg_deb} -c ${development})
  if(NOT said MATCHES "include/basin/optim/gradient/sam.h" OR NOT said MATCHES "BasinConfig.cmake" OR said MATCHES "/bin/")
    message(FATAL_ERROR "the package of headers holds\n${said}")
  endif()
  string(APPEND checked ", Debian packages")
endif()
message(STATUS "checked: ${checked}")
