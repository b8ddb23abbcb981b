// SPDX-License-Identifier: MIT
#include "handover/build_id.h"

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstring>
#include <utility>

namespace handover {
namespace {

constexpr std::size_t align4(std::size_t size) {
    return (size + 3) & ~std::size_t{3};
}

std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text.push_back(digits[bytes[i] >> 4]);
        text.push_back(digits[bytes[i] & 15]);
    }
    return text;
}

/// Walks one PT_NOTE segment (elf(5)).
std::string build_id_in(const unsigned char* notes, std::size_t size) {
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        std::memcpy(&note, notes, sizeof note);
        const std::size_t name = sizeof note;
        const std::size_t content = name + align4(note.n_namesz);
        const std::size_t next = content + align4(note.n_descsz);
        if (next > size) break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            std::memcmp(notes + name, "GNU", 4) == 0)
            return hexadecimal(notes + content, note.n_descsz);
        notes += next;
        size -= next;
    }
    return {};
}

int look_into_main_program(dl_phdr_info* object, std::size_t, void* result) {
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_NOTE) continue;
        const auto address = object->dlpi_addr + segment.p_vaddr;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the dynamic linker has it as a number, too
        const auto* notes = reinterpret_cast<const unsigned char*>(address);
        auto id = build_id_in(notes, segment.p_memsz);
        if (id.empty()) continue;
        *static_cast<std::string*>(result) = std::move(id);
        break;
    }
    return 1;  // the main program comes first (dl_iterate_phdr(3)); look no further
}

}  // namespace

std::string build_id() {
    std::string id;
    ::dl_iterate_phdr(look_into_main_program, &id);
    return id;
}

}  // namespace handover
