// SPDX-License-Identifier: MIT
#include "handover/report.h"

namespace handover {

std::string_view to_string(Report::Event event) {
    switch (event) {
        case Report::Event::other:
            return "other";
        case Report::Event::serving:
            return "serving";
        case Report::Event::took_over:
            return "took_over";
        case Report::Event::handover_failed:
            return "handover_failed";
        case Report::Event::rolled_back:
            return "rolled_back";
        case Report::Event::promoted:
            return "promoted";
        case Report::Event::restarting:
            return "restarting";
        case Report::Event::stopping:
            return "stopping";
        case Report::Event::ended:
            return "ended";
    }
    __builtin_unreachable();
}

}  // namespace handover
