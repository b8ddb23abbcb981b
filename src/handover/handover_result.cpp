// SPDX-License-Identifier: MIT
#include "handover/handover_result.h"

#include "handover/printable.h"

namespace handover {

std::string_view to_string(HandoverKind kind) {
    switch (kind) {
        case HandoverKind::reload:
            return "reload";
        case HandoverKind::restart:
            return "restart";
        case HandoverKind::crash:
            return "crash";
    }
    __builtin_unreachable();
}

std::string_view to_string(HandoverOutcome outcome) {
    switch (outcome) {
        case HandoverOutcome::ok:
            return "ok";
        case HandoverOutcome::failed:
            return "failed";
        case HandoverOutcome::rolled_back:
            return "rolled_back";
    }
    __builtin_unreachable();
}

std::string HandoverResult::to_string() const {
    if (!succeeded) return printable(reason);
    return "generation " + std::to_string(to) + " (pid " + std::to_string(pid) +
           ") took over from " + std::to_string(from) + " in " + std::to_string(duration.count()) +
           " ms" + (same_build ? "; it is the same build" : "");
}

}  // namespace handover
