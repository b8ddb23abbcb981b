// SPDX-License-Identifier: MIT
#include "handoverd/public_routes.h"

#include "handoverd/config/duration.h"
#include "handoverd/files/httplib_response.h"

#include <unistd.h>

#include <map>
#include <string>
#include <thread>
#include <utility>

namespace handoverd {
namespace {

constexpr std::chrono::milliseconds longest_sleep = std::chrono::seconds(60);
const std::string own_pid = std::to_string(::getpid());
// httplib takes strings: these are not made anew for each request.
const std::string generation_header = "Handover-Generation";
const std::string pid_header = "Handover-Pid";
const std::string plain_text = "text/plain";

void hello(const httplib::Request& request, httplib::Response& response, std::uint64_t generation) {
    if (request.has_param("sleep")) {
        const auto duration = parse_duration(request.get_param_value("sleep"));
        if (!duration || *duration > longest_sleep) {
            response.status = 400;
            response.set_content("sleep is a time up to 60s, as in /hello?sleep=500ms\n",
                                 plain_text);
            return;
        }
        std::this_thread::sleep_for(*duration);
    }
    response.set_header(generation_header, std::to_string(generation));
    response.set_header(pid_header, own_pid);
    response.set_content("hello world\n", plain_text);
}

/// A small page for people, where nothing better is there.
httplib::Server::HandlerResponse explain(const httplib::Request& request,
                                         httplib::Response& response) {
    static const std::map<int, std::string> texts{{403, "403 Forbidden\n"},
                                                  {404, "404 Not Found\n"},
                                                  {405, "405 Method Not Allowed\n"},
                                                  {412, "412 Precondition Failed\n"},
                                                  {416, "416 Range Not Satisfiable\n"},
                                                  {500, "500 Internal Server Error\n"},
                                                  {503, "503 Service Unavailable\n"}};
    const auto text = texts.find(response.status);
    if (text == texts.end() || !response.body.empty())
        return httplib::Server::HandlerResponse::Unhandled;
    keep_as_it_is(request);
    response.set_content(text->second, plain_text);
    return httplib::Server::HandlerResponse::Handled;
}

/// See add_health_routes().
bool is_health_route(const std::string& path) {
    return path == "/healthz" || path == "/readyz";
}

}  // namespace

void add_public_routes(handover::http::Server& server, std::function<std::uint64_t()> generation,
                       const StaticFilesOptions& files, bool with_health) {
    const auto handler = [generation = std::move(generation)](const httplib::Request& request,
                                                              httplib::Response& response) {
        hello(request, response, generation());
    };
    server.Get("/hello", handler);  // and HEAD
    server.Post("/hello", handler);
    server.set_error_handler(httplib::Server::HandlerWithResponse(explain));
    if (files.root.empty()) return;
    using httplib::Server;
    server.set_pre_routing_handler(
        [files = StaticFiles(files), with_health](const httplib::Request& request,
                                                  httplib::Response& response) {
            if (with_health && is_health_route(request.path))
                return Server::HandlerResponse::Unhandled;
            return files.answer(request, response) ? Server::HandlerResponse::Handled
                                                   : Server::HandlerResponse::Unhandled;
        });
}

}  // namespace handoverd
