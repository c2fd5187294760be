# What the tests of packages share: the blocks of a page, and commands that must succeed.

# The block of PAGE in this language, the `number`-th one from 1, into the variable `result`.
function(page_block language number result)
  file(READ ${PAGE} text)
  string(LENGTH "\n```${language}\n" skip)
  foreach(i RANGE 1 ${number})
    string(FIND "${text}" "\n```${language}\n" begin)
    if(begin EQUAL -1)
      message(FATAL_ERROR "${PAGE} has no block ${number} of ${language}")
    endif()
    math(EXPR begin "${begin} + ${skip}")
    string(SUBSTRING "${text}" ${begin} -1 text)
  endforeach()
  string(FIND "${text}" "\n```" end)
  string(SUBSTRING "${text}" 0 ${end} text)
  set(${result} "${text}\n" PARENT_SCOPE)
endfunction()

# A command; what it says is in `said` afterwards.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${said}")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()
