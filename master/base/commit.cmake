# Writes the file that defines hubbub_commit (commit.h): cmake -DSOURCE=DIRECTORY -DFILE=commit.c -P commit.cmake. It runs
# in each build, and leaves a file alone that says so already, so that only another commit has it compiled.
cmake_minimum_required(VERSION 3.20)
set(commit "")
# A repository around an unpacked archive would name a commit of its own.
find_program(GIT git)
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT} --no-optional-locks -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(commit)
  set(commit ", commit ${commit}")
endif()
file(CONFIGURE OUTPUT ${FILE} @ONLY CONTENT "#include \"master/base/commit.h\"

const char hubbub_commit[] = \"@commit@\";
")
