# Writes the blocks of docs/own-project.md into a project outside the tree, with Basin in it under the name that the
# page uses, configures it as its user would, compiles its own source (not Basin's: that is built), links and runs it.
# cmake -DPAGE= -DBASIN= -DWORK= -DGENERATOR= -DCOMPILER= -DLIBRARIES= -DSYSTEM_LIBRARIES= -P own_project.cmake
include(${CMAKE_CURRENT_LIST_DIR}/page.cmake)

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
file(CREATE_LINK ${BASIN} ${WORK}/basin SYMBOLIC)
page_block(cmake 1 project)
page_block(cpp 1 source)
page_block(text 1 expected)
file(WRITE ${WORK}/CMakeLists.txt "${project}")
# A shadowed name: a warning of ours, and not an error of theirs.
file(WRITE ${WORK}/main.cpp "${source}\nint twice(int x) {\n  { int x = 2; (void)x; }\n  return 2 * x;\n}\n")

run(${CMAKE_COMMAND} -S ${WORK} -B ${WORK}/build -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER}
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON)

# Nothing but libraries, and no flag of ours on their source.
run(${CMAKE_COMMAND} --build ${WORK}/build --target help)
if(said MATCHES "test_core|hello_autograd|bench_")
  message(FATAL_ERROR "tests or programs of Basin are targets of a project that only uses it")
endif()
file(READ ${WORK}/build/compile_commands.json commands)
string(JSON count LENGTH "${commands}")
math(EXPR last "${count} - 1")
set(command "")
foreach(i RANGE ${last})
  string(JSON file GET "${commands}" ${i} file)
  if(file STREQUAL "${WORK}/main.cpp")
    string(JSON command GET "${commands}" ${i} command)
  endif()
endforeach()
if(command STREQUAL "" OR command MATCHES "-Werror|-Wshadow|-Wpedantic|-ffp-contract" OR NOT command MATCHES "\\+\\+20")
  message(FATAL_ERROR "the user's source is compiled by: ${command}")
endif()

string(REGEX REPLACE " -o [^ ]+" " -o ${WORK}/main.o" command "${command}")
separate_arguments(command UNIX_COMMAND "${command}")
run(${command})
run(${COMPILER} ${LINK_FLAGS} ${WORK}/main.o ${LIBRARIES} ${SYSTEM_LIBRARIES} -pthread -o ${WORK}/program)
run(${WORK}/program)
if(NOT said STREQUAL expected)
  message(FATAL_ERROR "the program said\n${said}and the page promises\n${expected}")
endif()
