// SPDX-License-Identifier: MIT
// An ordinary cpp-httplib program. Two lines make it restart without losing a request; what they
// were before stands beside them. Try it:  ./hello_http &  kill -USR2 $!

#include <http/serve.h>

int main(int argc, char** argv) {
    handover::http::Server server;  // was: httplib::Server server;

    server.Get("/hi", [](const httplib::Request&, httplib::Response& response) {
        response.set_content("Hello World!\n", "text/plain");
    });
    server.Get(R"(/numbers/(\d+))",
               [](const httplib::Request& request, httplib::Response& response) {
                   response.set_content(request.matches[1].str() + "\n", "text/plain");
               });

    // was: server.listen("::", 8080);
    return handover::http::serve(server, argc > 1 ? argv[1] : "[::]:8080");
}
