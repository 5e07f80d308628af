# Cross build for aarch64 against Debian's multiarch packages. libjemalloc-dev cannot be installed
# for two architectures at once, so the library's own package serves.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_LIBRARY_PATH /usr/lib/aarch64-linux-gnu)
set(CMAKE_IGNORE_PATH /usr/lib /usr/lib/x86_64-linux-gnu)
set(JEMALLOC_LIBRARY /usr/lib/aarch64-linux-gnu/libjemalloc.so.2 CACHE FILEPATH "")
