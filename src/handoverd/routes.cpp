// SPDX-License-Identifier: MIT
#include "handoverd/routes.h"

#include "handoverd/duration.h"
#include "handoverd/static_files.h"

#include <unistd.h>

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

}  // namespace

void add_public_routes(handover::http::Server& server, std::function<std::uint64_t()> generation,
                       const std::string& root) {
    const auto handler = [generation = std::move(generation)](const httplib::Request& request,
                                                              httplib::Response& response) {
        hello(request, response, generation());
    };
    server.Get("/hello", handler);  // and HEAD
    server.Post("/hello", handler);
    if (root.empty()) return;
    using httplib::Server;
    server.set_pre_routing_handler(
        [files = StaticFiles(root)](const httplib::Request& request, httplib::Response& response) {
            return files.answer(request, response) ? Server::HandlerResponse::Handled
                                                   : Server::HandlerResponse::Unhandled;
        });
}

}  // namespace handoverd
