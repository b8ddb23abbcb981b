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

std::string_view to_string(ServiceEvent::Type type) {
    switch (type) {
        case ServiceEvent::Type::starting:
            return "starting";
        case ServiceEvent::Type::ready:
            return "ready";
        case ServiceEvent::Type::serving:
            return "serving";
        case ServiceEvent::Type::probation:
            return "probation";
        case ServiceEvent::Type::draining:
            return "draining";
        case ServiceEvent::Type::promoted:
            return "promoted";
        case ServiceEvent::Type::rolled_back:
            return "rolled_back";
        case ServiceEvent::Type::failed:
            return "failed";
        case ServiceEvent::Type::stopping:
            return "stopping";
        case ServiceEvent::Type::restarting:
            return "restarting";
        case ServiceEvent::Type::ended:
            return "ended";
    }
    __builtin_unreachable();
}

}  // namespace handover
