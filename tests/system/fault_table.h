// SPDX-License-Identifier: MIT
#pragma once

#include "system/faulty_service.h"

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace handover::test {

/// What the clients may lose by a fault.
enum class Loss {
    nothing,           ///< no request and no connection
    what_was_inside,   ///< what was inside the processes that died
    kept_connections,  ///< a connection that stands idle is closed; no request fails
    newcomers,         ///< who comes while the service is stopped is refused
};

/// A row of the table: one fault, on a service with clients.
struct Fault {
    std::string name;
    /// Does it, expects what is particular to it, and takes it away again.
    std::function<void(FaultyService&)> strike;
    Loss loss = Loss::nothing;
    int deaths = 0;                ///< of processes that had connections, at most
    std::string probation = "1s";  ///< of the service; longer where something has to happen in it
};
std::ostream& operator<<(std::ostream& out, const Fault& fault);

/// Of a new program that is no good, or cannot be started: a reload that fails and costs nothing.
[[nodiscard]] std::vector<Fault> faults_before_ready();
/// Of processes that were at work.
[[nodiscard]] std::vector<Fault> faults_after_ready();
/// Stop, restart and the like in the midst of a reload.
[[nodiscard]] std::vector<Fault> interruptions();
/// Of what is around the service: the manager, its fd store, the logs.
[[nodiscard]] std::vector<Fault> faults_around();

}  // namespace handover::test
