# SPDX-License-Identifier: MIT
#
# What acre needs, found: for acreConfig.cmake and for acre's CMakeLists.txt.
# Each function sets `problem` in its caller to what is missing and what to do
# about it, or to nothing. ACRE_GC_LIBRARY and ACRE_GC_INCLUDE_DIR, set before,
# name a libgc that is not where CMake looks.

function(_acre_find_core_dependencies)
  set(problem "")
  if(NOT TARGET Threads::Threads)
    find_package(Threads QUIET)
  endif()
  if(NOT TARGET Threads::Threads)
    set(problem "no thread library was found (it takes an enabled language C or CXX)")
  endif()
  find_library(ACRE_GC_LIBRARY NAMES gc DOC "libgc, for acre")
  find_path(ACRE_GC_INCLUDE_DIR NAMES gc/gc.h DOC "libgc's headers, for acre")
  mark_as_advanced(ACRE_GC_LIBRARY ACRE_GC_INCLUDE_DIR)
  if(NOT ACRE_GC_LIBRARY OR NOT ACRE_GC_INCLUDE_DIR)
    set(problem "libgc (the Boehm collector) or its header gc/gc.h was not found: install it (Debian: libgc-dev), add its prefix to CMAKE_PREFIX_PATH, or set ACRE_GC_LIBRARY and ACRE_GC_INCLUDE_DIR")
  endif()
  set(problem "${problem}" PARENT_SCOPE)
endfunction()

function(_acre_find_json_dependencies)
  set(problem "")
  if(NOT TARGET simdjson::simdjson)
    find_package(simdjson CONFIG QUIET)
  endif()
  if(NOT TARGET simdjson::simdjson)
    set(problem "it needs simdjson, which was not found: install it (Debian: libsimdjson-dev), or set simdjson_DIR")
  endif()
  set(problem "${problem}" PARENT_SCOPE)
endfunction()

function(_acre_find_audit_dependencies)
  set(problem "")
  if(NOT TARGET fmt::fmt)
    find_package(fmt CONFIG QUIET)
  endif()
  if(NOT TARGET fmt::fmt)
    set(problem "it needs fmt, which was not found: install it (Debian: libfmt-dev), or set fmt_DIR")
  endif()
  set(problem "${problem}" PARENT_SCOPE)
endfunction()
