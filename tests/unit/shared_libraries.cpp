// SPDX-License-Identifier: MIT
// A program of somebody else, linked with the shared libraries: it needs whatever the public
// headers declare and do not define. What a version script has forgotten does not link.
#include "handover/anchor.h"
#include "handover/build_id.h"
#include "handover/error.h"
#include "http/serve.h"

#include <utility>

namespace handover {
namespace {

/// To what no compiler can do without.
template <typename Function>
void refer(Function function) {
    asm volatile("" : : "m"(function));
}

/// As programs do that add to a server.
class DerivedServer : public http::Server {};

void refer_to_values() {
    refer(&build_id);
    refer(&close_politely);
    refer(&os_error);
    refer(&printable);
    refer(&ConnectionCounts::ended_total);
    refer(&ConnectionCounts::operator+=);
    refer(&ConnectionCounts::since);
    refer(&ConnectionCounts::to_sentence);
    refer(&DurationHistogram::add);
    refer(&DurationHistogram::sum);
    refer(static_cast<std::uint64_t (DurationHistogram::*)() const noexcept>(
        &DurationHistogram::count));
    refer(&HandoverCounters::count);
    refer(&HandoverCounters::count_of);
    refer(&HandoverResult::to_string);
    refer(static_cast<std::string_view (*)(Cause)>(&to_string));
    refer(static_cast<std::string_view (*)(CloseReason)>(&to_string));
    refer(static_cast<std::string_view (*)(HandoverKind)>(&to_string));
    refer(static_cast<std::string_view (*)(HandoverOutcome)>(&to_string));
    refer(static_cast<std::string_view (*)(Report::Event)>(&to_string));
    refer(static_cast<std::string_view (*)(Role)>(&to_string));
    refer(static_cast<std::string_view (*)(ServiceEvent::Type)>(&to_string));
}

void refer_to_endpoint() {
    refer(&Endpoint::parse);
    refer(&Endpoint::of_socket);
    refer(&Endpoint::to_string);
    refer(&Endpoint::address);
    refer(&Endpoint::port);
    refer(&Endpoint::is_loopback);
    refer(&Endpoint::unix_path);
    refer(&Endpoint::matches);
    refer(+[](const Endpoint& a, const Endpoint& b) { return a == b; });
}

template <typename Class>
Class move_twice(Class one) {
    Class other = std::move(one);
    one = std::move(other);
    return one;
}

void refer_to_generation() {
    refer(&Inheritance::discover);
    refer(&Inheritance::refuse);
    refer(&move_twice<Inheritance>);
    refer(&Anchor::resume);
    refer(&Anchor::wait);
    refer(&move_twice<Anchor>);
    refer(+[](Inheritance inheritance, GenerationOptions options) {
        const Generation generation(std::move(inheritance), std::move(options));
    });
    refer(&Generation::serve);
    refer(&Generation::run);
    refer(&Generation::request_handover);
    refer(&Generation::await_end_of_probation);
    refer(&Generation::status);
    refer(&Generation::number);
    refer(&Generation::history);
    refer(&Generation::last_event_id);
    refer(&Generation::wait_for_events);
    refer(&Generation::handover_counters);
    refer(&Generation::program_counters);
}

void refer_to_server() {
    refer(&http::serve);
    refer(+[] { const DerivedServer server; });
    refer(&http::Server::open_connections);
    refer(&http::Server::connection_states);
    refer(&http::Server::count_in);
    refer(&http::Server::counters);
    refer(&http::Server::set_post_routing_handler);
}

}  // namespace
}  // namespace handover

int main() {
    handover::refer_to_values();
    handover::refer_to_endpoint();
    handover::refer_to_generation();
    handover::refer_to_server();
    return handover::printable("\x1b") == "\\x1b" ? 0 : 1;
}
