// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

/// A broken promise is a crash, which is what a fuzzer looks for.
inline void require(bool promise) {
    if (!promise) std::abort();
}

/// Each *_fuzz.cpp defines it. libFuzzer calls it with inputs of its own making; replay.cpp, in a
/// build without libFuzzer, with the files of the corpus.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
