// SPDX-License-Identifier: MIT
#include "handoverd/admin/admin.h"

#include "handoverd/admin/status_json.h"
#include "handoverd/log/log.h"

#include <nlohmann/json.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <memory>

namespace handoverd {
namespace {

using nlohmann::json;

void answer(httplib::Response& response, int status, const json& body) {
    response.status = status;
    response.set_content(one_line(body) + "\n", "application/json");
}

void reload(httplib::Response& response, handover::Generation& generation) {
    auto promise = std::make_shared<std::promise<handover::HandoverResult>>();
    auto result = promise->get_future();
    generation.request_handover(
        [promise](const handover::HandoverResult& outcome) { promise->set_value(outcome); });
    // The generation answers every request before it ends, and it does not end before this one is
    // answered: it drains it.
    const auto outcome = result.get();
    answer(response, outcome.succeeded ? 200 : 409,
           {{"succeeded", outcome.succeeded},
            {"from", outcome.from},
            {"to", outcome.to},
            {"message", outcome.to_string()}});
}

/// False if the generation ended before its probation did.
bool await_end_of_probation(handover::Generation& generation) {
    auto promise = std::make_shared<std::promise<void>>();
    auto over = promise->get_future();
    generation.await_end_of_probation([promise] { promise->set_value(); });
    promise.reset();  // the generation has the only one: if it drops it, we hear of that
    try {
        over.get();
        return true;
    } catch (const std::future_error&) {
        return false;
    }
}

}  // namespace

bool may_administer(int connection) {
    int domain = AF_UNSPEC;
    socklen_t length = sizeof domain;
    if (::getsockopt(connection, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0) return false;
    if (domain != AF_UNIX) return true;
    ucred peer{};
    length = sizeof peer;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
    if (peer.uid == 0 || peer.uid == ::geteuid()) return true;
    spdlog::warn("admin: turned away pid {} of user {}: only root and user {} may ask", peer.pid,
                 peer.uid, ::geteuid());
    return false;
}

void add_admin_routes(handover::http::Server& server, handover::Generation& generation) {
    server.Get("/status", [&generation](const httplib::Request& request,
                                        httplib::Response& response) {
        // ?after=probation: as soon as this generation is not on probation any more.
        if (request.get_param_value("after") == "probation" && !await_end_of_probation(generation))
            return answer(response, 503, {{"message", "the generation ended on probation"}});
        answer(response, 200, status_json(generation));
    });
    server.Post("/reload", [&generation](const httplib::Request&, httplib::Response& response) {
        reload(response, generation);
    });
}

void add_health_routes(handover::http::Server& server, const handover::Generation& generation) {
    const std::string plain_text = "text/plain";
    server.Get("/healthz", [plain_text](const httplib::Request&, httplib::Response& response) {
        response.set_content("alive\n", plain_text);
    });
    server.Get("/readyz", [plain_text, &generation](const httplib::Request&,
                                                    httplib::Response& response) {
        const auto now = generation.status();
        response.status = now.ready ? 200 : 503;
        response.set_content(now.ready ? "ready\n" : "not ready: " + now.state + "\n", plain_text);
    });
}

}  // namespace handoverd
