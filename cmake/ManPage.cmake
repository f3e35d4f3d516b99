# SPDX-License-Identifier: Apache-2.0
# cmake -DPROGRAM=gpu_eval -DOUT=gpu_eval.1 -DVERSION=0.1.0 -P ManPage.cmake: the manual page from the program's own
# --help and that of each subcommand.
cmake_minimum_required(VERSION 3.25)

function(help_of result)
  execute_process(COMMAND ${PROGRAM} ${ARGN} --help OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\\" "\\e" text "${text}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" text "${text}")
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

execute_process(COMMAND ${PROGRAM} --help OUTPUT_VARIABLE plain COMMAND_ERROR_IS_FATAL ANY)
if(NOT plain MATCHES "\nCommands:\n(([^\n]+\n)+)")
  message(FATAL_ERROR "${PROGRAM} --help lists no subcommands")
endif()
string(REGEX MATCHALL "\n  [a-z]+ " subcommands "\n${CMAKE_MATCH_1}")
string(REGEX MATCH "^[^\n]*" summary "${plain}")

help_of(text)
set(page ".\\\" Made from gpu_eval --help.\n.TH GPU_EVAL 1 \"\" \"gpu_eval ${VERSION}\"\n.SH NAME\ngpu_eval \\- ${summary}\n")
string(APPEND page ".SH DESCRIPTION\n.nf\n${text}\n.fi\n")
foreach(subcommand IN LISTS subcommands)
  string(STRIP "${subcommand}" subcommand)
  help_of(text ${subcommand})
  string(TOUPPER "${subcommand}" title)
  string(APPEND page ".SH \"GPU_EVAL ${title}\"\n.nf\n${text}\n.fi\n")
endforeach()
file(WRITE ${OUT} "${page}")
