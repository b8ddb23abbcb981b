// SPDX-License-Identifier: MIT
//
// stock_httplib: the same answer, header lines included, from a plain httplib::Server, for
// comparison. It keeps a thread for each connection, so there are more than the benchmark opens for
// its load.

#include <httplib.h>
#include <unistd.h>

#include <cstddef>
#include <string>

namespace {

constexpr std::size_t threads = 128;
constexpr time_t as_long_as_it_takes = 600;  // seconds
const std::string own_pid = std::to_string(::getpid());

void hello(const httplib::Request&, httplib::Response& response) {
    response.set_header("Handover-Generation", "1");
    response.set_header("Handover-Pid", own_pid);
    response.set_content("hello world\n", "text/plain");
}

}  // namespace

int main() {
    httplib::Server server;
    server.new_task_queue = [] { return new httplib::ThreadPool(threads); };
    server.set_keep_alive_max_count(1'000'000'000);
    server.set_keep_alive_timeout(as_long_as_it_takes);
    server.set_read_timeout(as_long_as_it_takes);
    // Head and body leave it in two writes: without this each answer takes 40 ms.
    server.set_tcp_nodelay(true);
    server.Get("/hello", hello);
    server.Post("/hello", hello);
    return server.listen("0.0.0.0", 9999) ? 0 : 1;
}
