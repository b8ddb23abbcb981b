# SPDX-License-Identifier: MIT
#
# Puts page.html, with page.css and page.js inside, into a source file: the program needs no file at
# run time. Included by src/handoverd/CMakeLists.txt; sets page_assets to the path of what it made.

# A Content-Security-Policy has hashes in base64, and CMake has them in hexadecimal.
function(base64_sha256 text result)
  set(digits ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  string(SHA256 hash "${text}")
  string(APPEND hash 00)  # 33 bytes, which are 11 groups of three
  set(encoded)
  foreach(place RANGE 0 60 6)
    string(SUBSTRING ${hash} ${place} 6 group)
    foreach(shift 18 12 6 0)
      math(EXPR digit "(0x${group} >> ${shift}) & 63")
      string(SUBSTRING ${digits} ${digit} 1 digit)
      string(APPEND encoded ${digit})
    endforeach()
  endforeach()
  string(SUBSTRING ${encoded} 0 43 encoded)  # the last digit is that of the byte we added
  set(${result} sha256-${encoded}= PARENT_SCOPE)
endfunction()

set(page_directory ${CMAKE_CURRENT_LIST_DIR})
foreach(kind css js)
  file(READ ${page_directory}/page.${kind} PAGE_${kind})
endforeach()
base64_sha256("${PAGE_css}" PAGE_STYLE_HASH)
base64_sha256("${PAGE_js}" PAGE_SCRIPT_HASH)
file(READ ${page_directory}/page.html PAGE_DOCUMENT)
string(CONFIGURE "${PAGE_DOCUMENT}" PAGE_DOCUMENT @ONLY)
string(SHA256 PAGE_ID "${PAGE_DOCUMENT}")
string(SUBSTRING ${PAGE_ID} 0 16 PAGE_ID)
set(page_assets ${CMAKE_CURRENT_BINARY_DIR}/page_assets.cpp)
configure_file(${page_directory}/page_assets.cpp.in ${page_assets} @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${page_directory}/page.css ${page_directory}/page.js ${page_directory}/page.html)
