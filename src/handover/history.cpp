// SPDX-License-Identifier: MIT
#include "handover/history.h"

namespace handover {

std::string_view to_string(Role role) {
    switch (role) {
        case Role::starting:
            return "starting";
        case Role::probation:
            return "probation";
        case Role::serving:
            return "serving";
        case Role::draining:
            return "draining";
        case Role::stopping:
            return "stopping";
        case Role::restarting:
            return "restarting";
        case Role::ended:
            return "ended";
        case Role::crashed:
            return "crashed";
    }
    __builtin_unreachable();
}

std::string_view to_string(Cause cause) {
    switch (cause) {
        case Cause::start:
            return "start";
        case Cause::reload:
            return "reload";
        case Cause::restart:
            return "restart";
        case Cause::crash:
            return "crash";
    }
    __builtin_unreachable();
}

std::string_view to_string(Happening::What what) {
    switch (what) {
        case Happening::What::starting:
            return "starting";
        case Happening::What::ready:
            return "ready";
        case Happening::What::serving:
            return "serving";
        case Happening::What::probation:
            return "probation";
        case Happening::What::draining:
            return "draining";
        case Happening::What::promoted:
            return "promoted";
        case Happening::What::rolled_back:
            return "rolled_back";
        case Happening::What::failed:
            return "failed";
        case Happening::What::stopping:
            return "stopping";
        case Happening::What::restarting:
            return "restarting";
        case Happening::What::ended:
            return "ended";
    }
    __builtin_unreachable();
}

}  // namespace handover
