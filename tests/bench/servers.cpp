// SPDX-License-Identifier: MIT
//
// The servers that are compared, each set up the way its own manual recommends.

#include "bench/server.h"

namespace handover::bench {
namespace {

namespace fs = std::filesystem;

const fs::path source_directory = HANDOVER_SOURCE_DIR;
const fs::path peers = source_directory / "tests/bench/peers";
const fs::path units = "/etc/systemd/system";

ServerKind handoverd(const Programs& programs) {
    ServerKind kind;
    kind.name = "handoverd";
    kind.unit = "handoverd.service";
    kind.socket_unit = "handoverd.socket";
    kind.files = {{programs.handoverd, "/usr/bin/handoverd"},
                  {source_directory / "units/handoverd.service", units / "handoverd.service"},
                  {source_directory / "units/handoverd.socket", units / "handoverd.socket"}};
    // As patient with idle connections as the peers are told to be.
    kind.service_settings = "ExecStart=\nExecStart=/usr/bin/handoverd serve --idle-timeout 600s\n";
    return kind;
}

ServerKind nginx_by_hup() {
    ServerKind kind;
    kind.name = "nginx, HUP";
    kind.unit = "nginx.service";
    kind.files = {{peers / "nginx.conf", "/etc/nginx/nginx.conf"}};
    return kind;
}

ServerKind nginx_by_usr2() {
    ServerKind kind = nginx_by_hup();
    kind.name = "nginx, USR2";
    kind.differs_in_reload_only = true;
    kind.files.push_back({peers / "nginx_upgrade", "/usr/local/bin/nginx_upgrade"});
    kind.service_settings = "ExecReload=\nExecReload=/usr/local/bin/nginx_upgrade\n";
    return kind;
}

ServerKind haproxy() {
    ServerKind kind;
    kind.name = "HAProxy";
    kind.unit = "haproxy.service";
    kind.files = {{peers / "haproxy.cfg", "/etc/haproxy/haproxy.cfg"}};
    return kind;
}

ServerKind haproxy_with_idle_close() {
    ServerKind kind = haproxy();
    kind.name = "HAProxy, idle-close-on-response";
    kind.differs_in_reload_only = true;
    kind.service_settings = "Environment=IDLE_CLOSE=yes\n";
    return kind;
}

/// Debian's unit starts h2o -m master, which is start_server with h2o below it.
ServerKind h2o() {
    ServerKind kind;
    kind.name = "h2o, start_server";
    kind.unit = "h2o.service";
    kind.files = {{peers / "h2o.conf", "/etc/h2o/h2o.conf"},
                  {peers / "hello.txt", "/etc/h2o/hello.txt"}};
    kind.get_path = "/static";
    return kind;
}

ServerKind go_server(const Programs& programs) {
    ServerKind kind;
    kind.name = "Go net/http, tutorial";
    kind.unit = "go_server.service";
    kind.files = {{programs.go_server, "/usr/local/bin/go_server"},
                  {peers / "go_server.service", units / "go_server.service"}};
    return kind;
}

ServerKind stock_httplib(const Programs& programs) {
    ServerKind kind;
    kind.name = "cpp-httplib, stock";
    kind.unit = "stock_httplib.service";
    kind.files = {{programs.stock_httplib, "/usr/local/bin/stock_httplib"},
                  {peers / "stock_httplib.service", units / "stock_httplib.service"}};
    kind.reloads = false;
    // A thread for each, which looks every 10 ms whether something has come: 2,000 are too many.
    kind.holds_idle_connections = false;
    return kind;
}

}  // namespace

std::vector<ServerKind> all_servers(const Programs& programs) {
    std::vector<ServerKind> servers{handoverd(programs),       nginx_by_hup(),
                                    nginx_by_usr2(),           haproxy(),
                                    haproxy_with_idle_close(), h2o()};
    if (!programs.go_server.empty()) servers.push_back(go_server(programs));
    if (!programs.stock_httplib.empty()) servers.push_back(stock_httplib(programs));
    return servers;
}

}  // namespace handover::bench
