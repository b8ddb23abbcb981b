// SPDX-License-Identifier: MIT
#include "handover/handover_result.h"

#include "handover/printable.h"

namespace handover {

std::string HandoverResult::to_string() const {
    if (!succeeded) return printable(reason);
    return "generation " + std::to_string(to) + " (pid " + std::to_string(pid) +
           ") took over from " + std::to_string(from) + " in " + std::to_string(duration.count()) +
           " ms" + (same_build ? "; it is the same build" : "");
}

}  // namespace handover
