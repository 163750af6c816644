# CharLS, the C++ among the decoders, built so that the fuzzer sees into it; the address sanitizer is asked for by Cargo's build of it.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
add_compile_options(-fsanitize-coverage=inline-8bit-counters,pc-table)
