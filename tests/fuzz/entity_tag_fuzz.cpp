// SPDX-License-Identifier: MIT
// A list names a tag only if the tag stands in it, and whom a strong comparison finds a weak one
// does, too.
#include "fuzzer.h"
#include "handoverd/files/entity_tag.h"

#include <string>

using namespace handoverd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string list(reinterpret_cast<const char*>(data), size);
    const std::string tag = R"("tag,1")";
    const bool strong = names_tag(list, tag, Comparison::strong);
    const bool weak = names_tag(list, tag, Comparison::weak);
    require(weak || !strong);
    require(!weak || list.find(tag) != std::string::npos || list.find('*') != std::string::npos);
    require(names_tag(tag + "," + list, tag, Comparison::strong));
    return 0;
}
