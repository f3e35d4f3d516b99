# SPDX-License-Identifier: Apache-2.0
# cmake -DSOURCE=dir -DOUT=header -P revision.cmake
set(revision "unknown")
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD OUTPUT_VARIABLE found RESULT_VARIABLE failed
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT failed)
  set(revision ${found})
  execute_process(COMMAND git -C ${SOURCE} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
  if(changes)
    string(APPEND revision "-modified")
  endif()
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define GPUEVAL_REVISION \"${revision}\"\n")
